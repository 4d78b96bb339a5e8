import type { DatabasePool } from 'slonik';
import { paymentSyncQueue } from '../../queues/payment-sync.ts';
import { recordAudit } from '../db/audit-events.ts';
import { addToOutbox } from '../db/outbox.ts';
import { findPaymentOfOrder, requestPaymentSyncs } from '../db/payments.ts';
import type { AuditActor } from '../domain/audit.ts';
import { EngineError } from '../domain/errors.ts';
import type { Order } from '../domain/order.ts';

/** Has a payment looked at by somebody who wants what was refused tried once more; as retrying its failed job does. */
export async function retryPayment(
  { pool, wakeRelay }: { pool: DatabasePool; wakeRelay(): void },
  { number }: Order,
  by: { actor: AuditActor; address: string },
): Promise<void> {
  await pool.transaction(async (transaction) => {
    const payment = await findPaymentOfOrder(transaction, number);
    if (!payment)
      throw new EngineError(
        'order_transition_refused',
        `Order ${number} was paid at the counter: there is nothing to try again.`,
      );
    const syncs = await requestPaymentSyncs(transaction, [payment.id]);
    await addToOutbox(
      transaction,
      paymentSyncQueue.name,
      syncs.map((sync) => ({ ...sync, isStuck: true })),
    );
    await recordAudit(transaction, { action: 'payment_retried', subject: `order ${number}`, ...by });
  });
  wakeRelay();
}
