import type { DatabasePool } from 'slonik';
import { recordAudit } from '../db/audit-events.ts';
import { recordPaymentEvent } from '../db/payment-events.ts';
import { insertOperation, type PaymentOperation, sumRefunds } from '../db/payment-operations.ts';
import { lockPaymentOfOrder } from '../db/payments.ts';
import type { AuditActor } from '../domain/audit.ts';
import { InputInvalidError, RefundExceedsCapturedError } from '../domain/errors.ts';
import type { Money } from '../domain/money.ts';
import { askForLook } from './ask-for-look.ts';

/**
 * Asks for money back: all that is left, or an amount. It is written down, so that no two refunds together exceed what was captured,
 * and carried out by the next look at the payment, one refund after the other.
 */
export async function refundOrder(
  { pool, wakeRelay }: { pool: DatabasePool; wakeRelay(): void },
  orderNumber: number,
  request: { amount: Money | null; reason: string | null },
  by: { actor: AuditActor; address: string },
): Promise<PaymentOperation> {
  const refund = await pool.transaction(async (transaction) => {
    const payment = await lockPaymentOfOrder(transaction, orderNumber);
    if (!payment) throw new RefundExceedsCapturedError(orderNumber);
    const { currency } = payment.amount;
    const asked = await sumRefunds(transaction, payment.id);
    const left = { amountMinor: payment.capturedMinor - Math.max(asked, payment.refundedMinor), currency };
    const amount = request.amount ?? left;
    if (amount.currency !== currency)
      throw new InputInvalidError([{ path: 'amount.currency', message: `takes ${currency}, as the order was paid` }]);
    if (amount.amountMinor > left.amountMinor || left.amountMinor === 0)
      throw new RefundExceedsCapturedError(orderNumber, left);
    const operation = await insertOperation(transaction, {
      paymentId: payment.id,
      type: 'refund',
      amount,
      requestedBy: by.actor.name,
      reason: request.reason,
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
    return operation;
  });
  wakeRelay();
  return refund;
}
