import { CheckoutClosedError } from '../sandbox-provider.ts';
import { dayMs, hourMs, type PayPalAccount } from './paypal-account.ts';
import { readAmount } from './paypal-amounts.ts';
import { bookCapture } from './paypal-captures.ts';
import { fieldsOf, textOf } from './paypal-fields.ts';
import type { PayPalAuthorisation, PayPalCapture, PayPalOrder } from './paypal-objects.ts';
import { PayPalRefusal } from './paypal-refusal.ts';

/** So long the customer has to approve, and after that we have as long to authorise: then the order is gone as if it never was. */
export const orderLifeMs = 6 * hourMs;
export const authorisationLifeMs = 29 * dayMs;

export function createOrder(account: PayPalAccount, body: unknown): PayPalOrder {
  const { intent, purchase_units: units, payment_source: source, application_context: context } = fieldsOf(body);
  if (intent !== 'AUTHORIZE' && intent !== 'CAPTURE')
    throw PayPalRefusal.invalid(
      intent === undefined ? 'MISSING_REQUIRED_PARAMETER' : 'INVALID_PARAMETER_VALUE',
      '/intent',
    );
  if (!Array.isArray(units)) throw PayPalRefusal.invalid('MISSING_REQUIRED_PARAMETER', '/purchase_units');
  if (units.length !== 1) throw PayPalRefusal.invalid('INVALID_ARRAY_LENGTH', '/purchase_units');
  const unit = fieldsOf(units[0]);
  const page = fieldsOf(fieldsOf(fieldsOf(source).paypal).experience_context ?? context);
  const now = account.nowMs();
  const order: PayPalOrder = {
    id: account.newId(),
    intent,
    status: source === undefined ? 'CREATED' : 'PAYER_ACTION_REQUIRED',
    withPaymentSource: source !== undefined,
    amount: readAmount(unit.amount, '/purchase_units/@reference_id==default/amount'),
    referenceId: textOf(unit.reference_id, '/purchase_units/0/reference_id', 256) ?? 'default',
    description: textOf(unit.description, '/purchase_units/0/description', 3000)?.slice(0, 127) ?? null,
    customId: textOf(unit.custom_id, '/purchase_units/0/custom_id', 255),
    invoiceId: textOf(unit.invoice_id, '/purchase_units/0/invoice_id', 127),
    returnUrl: textOf(page.return_url, '/return_url', 4000) ?? '',
    cancelUrl: textOf(page.cancel_url, '/cancel_url', 4000) ?? '',
    declining: false,
    latestDecline: null,
    createdAt: now,
    updatedAt: now,
    approvedAt: null,
    authorisationIds: [],
    captureIds: [],
    refundIds: [],
  };
  account.objects.orders.set(order.id, order);
  return order;
}

/** Judged now: an order that nobody approved or authorised in time is not there. */
export function getOrder(account: PayPalAccount, orderId: string): PayPalOrder {
  const order = account.objects.orders.get(orderId);
  if (!order || isGone(account, order)) throw PayPalRefusal.notFound();
  return order;
}

export function isGone(account: PayPalAccount, order: PayPalOrder): boolean {
  return order.status !== 'COMPLETED' && account.nowMs() >= (order.approvedAt ?? order.createdAt) + orderLifeMs;
}

/** What the customer does on PayPal's page. One who was declined may come back and choose something else. */
export function approveOrder(
  account: PayPalAccount,
  orderId: string,
  { declining }: { declining: boolean },
): PayPalOrder {
  const order = account.objects.orders.get(orderId);
  if (!order || isGone(account, order)) throw new CheckoutClosedError(orderId, 'expired');
  if (pageOf(account, order) !== 'open') throw new CheckoutClosedError(orderId, order.status.toLowerCase());
  const now = account.nowMs();
  Object.assign(order, { status: 'APPROVED', declining, latestDecline: null, approvedAt: now, updatedAt: now });
  account.objects.orders.set(orderId, order);
  account.announce('CHECKOUT.ORDER.APPROVED', { order });
  return order;
}

/** Whether the customer can still do something there. */
export function pageOf(account: PayPalAccount, order: PayPalOrder): 'open' | 'approved' | 'complete' | 'expired' {
  if (order.status === 'COMPLETED') return 'complete';
  if (isGone(account, order)) return 'expired';
  return order.status === 'APPROVED' && order.latestDecline === null ? 'approved' : 'open';
}

export function authoriseOrder(account: PayPalAccount, orderId: string): PayPalAuthorisation {
  const order = payableOrder(account, orderId, 'AUTHORIZE');
  const now = account.nowMs();
  const authorisation: PayPalAuthorisation = {
    id: account.newId(),
    orderId,
    renewedId: null,
    status: 'CREATED',
    expired: false,
    amount: order.amount,
    customId: order.customId,
    invoiceId: order.invoiceId,
    createdAt: now,
    updatedAt: now,
    expiresAt: now + authorisationLifeMs,
  };
  account.objects.authorisations.set(authorisation.id, authorisation);
  order.authorisationIds.push(authorisation.id);
  completeOrder(account, order);
  account.writeLedger('authorised', orderId, authorisation.id, authorisation.amount);
  account.announce('PAYMENT.AUTHORIZATION.CREATED', { authorisation });
  return authorisation;
}

export function captureOrder(account: PayPalAccount, orderId: string): PayPalCapture {
  const order = payableOrder(account, orderId, 'CAPTURE');
  completeOrder(account, order);
  return bookCapture(account, {
    order,
    authorisation: null,
    amount: order.amount,
    finalCapture: true,
    invoiceId: null,
  });
}

function completeOrder({ objects, nowMs }: PayPalAccount, order: PayPalOrder): void {
  Object.assign(order, { status: 'COMPLETED', updatedAt: nowMs() });
  objects.orders.set(order.id, order);
}

function payableOrder(account: PayPalAccount, orderId: string, intent: PayPalOrder['intent']): PayPalOrder {
  const order = getOrder(account, orderId);
  if (order.intent !== intent) throw PayPalRefusal.unprocessable('ACTION_DOES_NOT_MATCH_INTENT');
  if (order.status === 'COMPLETED')
    throw PayPalRefusal.unprocessable(intent === 'CAPTURE' ? 'ORDER_ALREADY_CAPTURED' : 'ORDER_ALREADY_AUTHORIZED');
  if (order.status !== 'APPROVED') throw PayPalRefusal.unprocessable('ORDER_NOT_APPROVED');
  if (order.invoiceId !== null && isInvoicePaid(account, order))
    throw PayPalRefusal.unprocessable('DUPLICATE_INVOICE_ID');
  if (order.declining) {
    order.latestDecline = 'INSTRUMENT_DECLINED'; // it stays approved, and the customer may come back and choose otherwise
    account.objects.orders.set(orderId, order);
    const links = [{ href: account.checkoutUrl(orderId), rel: 'redirect', method: 'GET' }];
    throw PayPalRefusal.unprocessable('INSTRUMENT_DECLINED', null, links);
  }
  return order;
}

function isInvoicePaid({ objects }: PayPalAccount, { id, invoiceId }: PayPalOrder): boolean {
  for (const other of objects.orders.values())
    if (other.id !== id && other.invoiceId === invoiceId && other.status === 'COMPLETED') return true;
  return false;
}
