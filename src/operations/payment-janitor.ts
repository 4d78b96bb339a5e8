import type { DatabasePool } from 'slonik';
import { paymentSyncQueue } from '../../queues/payment-sync.ts';
import { webhookEventsQueue } from '../../queues/webhook-events.ts';
import { addToOutbox } from '../db/outbox.ts';
import { requestDueSyncs } from '../db/payments.ts';
import { claimDueWebhookEvents } from '../db/webhook-events.ts';

const atOnce = 500;

/**
 * Has looked at what should have been by now: payments whose end nobody heard, whose job was lost, whose checkout or hold is over, and
 * events that came too early. Returns how many of each.
 */
export async function askForDueWork({
  pool,
  wakeRelay,
}: {
  pool: DatabasePool;
  wakeRelay(): void;
}): Promise<{ payments: number; events: number }> {
  const asked = await pool.transaction(async (transaction) => {
    const payments = await requestDueSyncs(transaction, atOnce);
    if (payments.length > 0) await addToOutbox(transaction, paymentSyncQueue.name, payments);
    const events = await claimDueWebhookEvents(transaction, atOnce);
    if (events.length > 0) await addToOutbox(transaction, webhookEventsQueue.name, events);
    return { payments: payments.length, events: events.length };
  });
  if (asked.payments + asked.events > 0) wakeRelay();
  return asked;
}
