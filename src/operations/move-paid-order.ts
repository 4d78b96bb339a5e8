import { notify } from '../db/notify.ts';
import { cancelOrderRow, releaseOrderRow } from '../db/orders.ts';
import { recordPaymentEvent } from '../db/payment-events.ts';
import { endUnheardOperations } from '../db/payment-operations.ts';
import { endPayment, type Payment } from '../db/payments.ts';
import type { OrderStatus } from '../domain/order-status.ts';
import type { CancelReason, PaymentStep } from '../payments/next-step.ts';
import type { PaymentDeps } from './payment-deps.ts';

/** The money is there, or as good as: the order takes its place at the end of its lane. Its job travels by the outbox. */
export async function releasePaidOrder(
  { pool, announce, wakeRelay, log }: PaymentDeps,
  { orderNumber }: Payment,
): Promise<void> {
  if (!(await releaseOrderRow(pool, orderNumber))) return; // cancelled at the same moment: the next look sees it
  announce();
  wakeRelay();
  log.info({ orderNumber }, 'order paid');
}

const cancellable: OrderStatus[] = ['awaiting_payment', 'pending', 'processing', 'failed'];

/** There is no money for it any more: whoever works on it lets go. */
export async function cancelForPayment(
  { pool, announce, log }: PaymentDeps,
  { orderNumber }: Payment,
  reason: CancelReason,
): Promise<void> {
  const cancelled = await cancelOrderRow(pool, {
    orderNumber,
    userId: null,
    from: cancellable,
    actor: 'system',
    reason,
  });
  if (!cancelled) return;
  announce();
  await notify(pool, 'twolane_bots');
  log.info({ orderNumber, reason }, 'order cancelled for its payment');
}

/** Nothing came of the payment: it ends, and with it the order that waited for it. */
export async function giveUpPayment(
  { pool, announce, log }: PaymentDeps,
  payment: Payment,
  { status, reason }: Extract<PaymentStep, { kind: 'give_up' }>,
  operationIds: readonly string[],
): Promise<void> {
  const { orderNumber } = payment;
  const isCancelled = await pool.transaction(async (transaction) => {
    // The order first: so does everybody who moves both.
    const cancelled = await cancelOrderRow(transaction, {
      orderNumber,
      userId: null,
      from: ['awaiting_payment'],
      actor: 'system',
      reason,
    });
    // A checkout whose opening nobody heard the end of: nobody knows where to pay it. Money that turns up all the same is read and let go.
    await endUnheardOperations(transaction, operationIds);
    const former = await endPayment(transaction, payment.id, status, null);
    if (former)
      await recordPaymentEvent(transaction, {
        paymentId: payment.id,
        type: status === 'failed' ? 'payment_failed' : 'payment_expired',
        actor: 'system',
        detail: { reason },
      });
    return cancelled !== null;
  });
  if (!isCancelled) return;
  announce();
  log.info({ orderNumber, reason }, 'order cancelled for its payment');
}
