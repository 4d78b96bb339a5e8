import type { DatabasePool } from 'slonik';
import { recordAudit } from '../db/audit-events.ts';
import { recordPaymentEvent } from '../db/payment-events.ts';
import { findRefundByKey, insertOperation, type PaymentOperation, sumRefunds } from '../db/payment-operations.ts';
import { lockPaymentOfOrder } from '../db/payments.ts';
import type { AuditActor } from '../domain/audit.ts';
import { IdempotencyKeyReusedError, InputInvalidError, RefundExceedsCapturedError } from '../domain/errors.ts';
import type { Money } from '../domain/money.ts';
import { askForLook } from './ask-for-look.ts';
import type { PaymentGateways } from './payment-deps.ts';

export interface RefundOrderDeps {
  pool: DatabasePool;
  gateways: PaymentGateways;
  wakeRelay(): void;
}

export interface RefundRequest {
  /** All that is left, when it is null. */
  amount: Money | null;
  reason: string | null;
  /** A repeat with the same key is the same refund. */
  key: string | null;
}

/**
 * Asks for money back: all that is left, or an amount. It is written down, so that no two refunds together exceed what was captured,
 * and carried out by the next look at the payment, one refund after the other.
 */
export async function refundOrder(
  { pool, gateways, wakeRelay }: RefundOrderDeps,
  orderNumber: number,
  request: RefundRequest,
  by: { actor: AuditActor; address: string },
): Promise<{ refund: PaymentOperation; isReplay: boolean }> {
  const refunded = await pool.transaction(async (transaction) => {
    const payment = await lockPaymentOfOrder(transaction, orderNumber);
    if (!payment) throw new RefundExceedsCapturedError(orderNumber, 'counter');
    const earlier = request.key === null ? null : await findRefundByKey(transaction, payment.id, request.key);
    if (earlier) return { refund: replayOf(earlier, request), isReplay: true };
    if (payment.capturedMinor === 0) throw new RefundExceedsCapturedError(orderNumber, 'not_captured');
    const { currency } = payment.amount;
    const asked = await sumRefunds(transaction, payment.id);
    // Somebody may have given money back at the provider: what is done there counts, and what is on its way comes on top.
    const givenBack = Math.max(asked.done, payment.refundedMinor) + asked.open;
    const left = { amountMinor: Math.max(0, payment.capturedMinor - givenBack), currency };
    const amount = request.amount ?? left;
    if (amount.currency !== currency)
      throw new InputInvalidError([{ path: 'amount.currency', message: `takes ${currency}, as the order was paid` }]);
    if (amount.amountMinor > left.amountMinor || left.amountMinor === 0)
      throw new RefundExceedsCapturedError(orderNumber, left);
    const why =
      amount.amountMinor === 0 ? 'takes more than nothing' : gateways[payment.provider]?.whyNotPayable(amount);
    if (why) throw new InputInvalidError([{ path: 'amount.amountMinor', message: why }]);
    const operation = await insertOperation(transaction, {
      paymentId: payment.id,
      type: 'refund',
      amount,
      requestedBy: by.actor.name,
      reason: request.reason,
      requestKey: request.key,
    });
    const detail = { amountMinor: amount.amountMinor, currency, reason: request.reason };
    await recordPaymentEvent(transaction, {
      paymentId: payment.id,
      type: 'refund_requested',
      actor: 'manager',
      detail,
    });
    await recordAudit(transaction, { action: 'order_refunded', subject: `order ${orderNumber}`, detail, ...by });
    await askForLook(transaction, payment.id);
    return { refund: operation, isReplay: false };
  });
  wakeRelay();
  return refunded;
}

function replayOf(earlier: PaymentOperation, { amount }: RefundRequest): PaymentOperation {
  const isSame =
    amount === null ||
    (amount.amountMinor === earlier.amount.amountMinor && amount.currency === earlier.amount.currency);
  if (!isSame) throw new IdempotencyKeyReusedError();
  return earlier;
}
