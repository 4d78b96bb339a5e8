import { paymentSyncQueue } from '../../queues/payment-sync.ts';
import { addToOutbox } from '../db/outbox.ts';
import { requestPaymentSyncs } from '../db/payments.ts';
import type { Db } from '../db/sql.ts';

/** Has a payment looked at, by a job. Call inside the transaction that gives the reason, and wake the relay after it. */
export async function askForLook(transaction: Db, paymentId: string): Promise<void> {
  await addToOutbox(transaction, paymentSyncQueue.name, await requestPaymentSyncs(transaction, [paymentId]));
}
