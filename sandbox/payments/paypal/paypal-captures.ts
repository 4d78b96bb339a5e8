import { hourMs, type PayPalAccount, paymentsOf } from './paypal-account.ts';
import { type Amount, readAmount } from './paypal-amounts.ts';
import { fieldsOf, textOf } from './paypal-fields.ts';
import type { PayPalAuthorisation, PayPalCapture, PayPalOrder, PayPalRefund } from './paypal-objects.ts';
import { PayPalRefusal } from './paypal-refusal.ts';

/** After so long, what is pending is completed by itself. */
export const pendingMs = hourMs;

/** Judged now: one that was pending long enough is completed. */
export function getCapture(account: PayPalAccount, captureId: string): PayPalCapture {
  const capture = account.objects.captures.get(captureId);
  if (!capture) throw PayPalRefusal.notFound();
  settleCaptureIfDue(account, capture);
  return capture;
}

export function getRefund(account: PayPalAccount, refundId: string): PayPalRefund {
  const refund = account.objects.refunds.get(refundId);
  if (!refund) throw PayPalRefusal.notFound();
  settleRefundIfDue(account, refund);
  return refund;
}

interface NewCapture {
  order: PayPalOrder;
  authorisation: PayPalAuthorisation | null;
  amount: Amount;
  finalCapture: boolean;
  invoiceId: string | null;
}

/** Takes the money, unless a script has it declined or kept waiting. */
export function bookCapture(account: PayPalAccount, wanted: NewCapture): PayPalCapture {
  const { order, authorisation, amount, finalCapture } = wanted;
  const outcome = account.takeOutcome('capture', order.id);
  const now = account.nowMs();
  const capture: PayPalCapture = {
    id: account.newId(),
    orderId: order.id,
    authorisationId: authorisation?.id ?? null,
    status: outcome === 'capture_declined' ? 'DECLINED' : 'PENDING',
    amount,
    refundedUnits: 0,
    finalCapture,
    customId: order.customId,
    invoiceId: wanted.invoiceId ?? order.invoiceId,
    createdAt: now,
    updatedAt: now,
    settlesAt: outcome === 'capture_pending' ? now + pendingMs : null,
  };
  account.objects.captures.set(capture.id, capture);
  order.captureIds.push(capture.id);
  account.objects.orders.set(order.id, order);
  if (outcome === 'capture_declined') account.announce('PAYMENT.CAPTURE.DENIED', { capture });
  else if (outcome === 'capture_pending') account.announce('PAYMENT.CAPTURE.PENDING', { capture });
  else completeCapture(account, capture);
  return capture;
}

export function settleCaptureIfDue(account: PayPalAccount, capture: PayPalCapture): void {
  if (capture.status === 'PENDING' && capture.settlesAt !== null && account.nowMs() >= capture.settlesAt)
    completeCapture(account, capture);
}

function completeCapture(account: PayPalAccount, capture: PayPalCapture): void {
  Object.assign(capture, { status: 'COMPLETED', settlesAt: null, updatedAt: account.nowMs() });
  account.objects.captures.set(capture.id, capture);
  account.writeLedger('captured', capture.orderId, capture.id, capture.amount);
  account.announce('PAYMENT.CAPTURE.COMPLETED', { capture });
}

export function refundCapture(account: PayPalAccount, captureId: string, body: unknown): PayPalRefund {
  const capture = getCapture(account, captureId);
  const { amount: wanted, custom_id: customId, invoice_id: invoiceId, note_to_payer: note } = fieldsOf(body);
  const left = capture.amount.units - capture.refundedUnits;
  const { currency } = capture.amount;
  const amount = wanted === undefined ? { units: left, currency } : readAmount(wanted, '/amount');
  if (capture.status === 'PENDING') throw PayPalRefusal.unprocessable('PENDING_CAPTURE');
  if (capture.status === 'DECLINED') throw PayPalRefusal.unprocessable('REFUND_NOT_ALLOWED');
  if (left === 0) throw PayPalRefusal.unprocessable('CAPTURE_FULLY_REFUNDED');
  if (amount.currency !== currency) throw PayPalRefusal.unprocessable('REFUND_CAPTURE_CURRENCY_MISMATCH', '/amount');
  if (amount.units > left) throw PayPalRefusal.unprocessable('REFUND_AMOUNT_EXCEEDED', '/amount');
  const texts = {
    customId: textOf(customId, '/custom_id', 127),
    invoiceId: textOf(invoiceId, '/invoice_id', 127) ?? capture.invoiceId,
    noteToPayer: textOf(note, '/note_to_payer', 255),
  };
  const outcome = account.takeOutcome('refund', capture.orderId);
  const now = account.nowMs();
  if (outcome !== 'refund_failed') capture.refundedUnits += amount.units; // spoken for, even while it is pending
  const refund: PayPalRefund = {
    id: account.newId(),
    captureId,
    orderId: capture.orderId,
    status: outcome === 'refund_failed' ? 'FAILED' : 'PENDING',
    amount,
    totalRefundedUnits: capture.refundedUnits,
    ...texts,
    createdAt: now,
    updatedAt: now,
    settlesAt: outcome === 'refund_pending' ? now + pendingMs : null,
  };
  account.objects.captures.set(capture.id, capture);
  account.objects.refunds.set(refund.id, refund);
  const order = account.objects.orders.get(capture.orderId);
  if (order) {
    order.refundIds.push(refund.id);
    account.objects.orders.set(order.id, order);
  }
  if (refund.status === 'PENDING' && refund.settlesAt === null) completeRefund(account, refund);
  return refund;
}

export function settleRefundIfDue(account: PayPalAccount, refund: PayPalRefund): void {
  if (refund.status === 'PENDING' && refund.settlesAt !== null && account.nowMs() >= refund.settlesAt)
    completeRefund(account, refund);
}

function completeRefund(account: PayPalAccount, refund: PayPalRefund): void {
  Object.assign(refund, { status: 'COMPLETED', settlesAt: null, updatedAt: account.nowMs() });
  account.objects.refunds.set(refund.id, refund);
  const capture = account.objects.captures.get(refund.captureId);
  const order = account.objects.orders.get(refund.orderId);
  if (capture && order) {
    let done = 0;
    for (const { captureId, status, amount } of paymentsOf(account, order).refunds)
      if (captureId === capture.id && status === 'COMPLETED') done += amount.units;
    const status = done === capture.amount.units ? 'REFUNDED' : 'PARTIALLY_REFUNDED';
    Object.assign(capture, { status, updatedAt: account.nowMs() });
    account.objects.captures.set(capture.id, capture);
  }
  account.writeLedger('refunded', refund.orderId, refund.id, refund.amount);
  account.announce('PAYMENT.CAPTURE.REFUNDED', { refund });
}
