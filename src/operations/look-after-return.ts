import type { DatabasePool } from 'slonik';
import { paymentSyncQueue } from '../../queues/payment-sync.ts';
import { addToOutbox } from '../db/outbox.ts';
import { requestSyncAfterReturn } from '../db/payment-returns.ts';
import type { Payment } from '../db/payments.ts';

/** A customer who is back may know more than we have heard; how often they reload must not matter to the provider. */
const quietMs = 2_000;

/** Has the payment of an order looked at whose customer is back from the provider, as long as that may change anything. */
export async function lookAfterReturn(
  { pool, wakeRelay }: { pool: DatabasePool; wakeRelay(): void },
  payment: Payment,
): Promise<void> {
  if (payment.orderStatus !== 'awaiting_payment' || payment.syncNo > payment.syncedNo) return;
  const isAsked = await pool.transaction(async (transaction) => {
    const syncs = await requestSyncAfterReturn(transaction, payment.id, quietMs);
    if (syncs.length > 0) await addToOutbox(transaction, paymentSyncQueue.name, syncs);
    return syncs.length > 0;
  });
  if (isAsked) wakeRelay();
}
