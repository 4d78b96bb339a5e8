import type { DatabasePool } from 'slonik';
import { receiptQueue } from '../../queues/receipt.ts';
import { type EventSpan, listDueOrderEmails, listDueRefundEmails, listReceiptsDue } from '../db/due-emails.ts';
import {
  beginEventCursor,
  type FollowedEvents,
  findBatchEnd,
  lockEventCursor,
  moveEventCursor,
  readEventCursor,
} from '../db/event-cursors.ts';
import { addToOutbox } from '../db/outbox.ts';
import type { Db } from '../db/sql.ts';
import type { Logger } from '../log.ts';
import type { MailSettings } from './mail-settings.ts';
import { addEmails, newsMaxAgeMs } from './new-emails.ts';

export interface PlanEmailsDeps {
  pool: DatabasePool;
  settings: Pick<MailSettings, 'senderDomain'>;
  wakeRelay(): void;
  log: Pick<Logger, 'info'>;
}

const eventsAtOnce = 1_000;

interface Follower {
  name: string;
  events: FollowedEvents;
  /** Writes down what these events make due; gives how much. */
  plan(transaction: Db, span: EventSpan, senderDomain: string | null): Promise<number>;
}

const followers: readonly Follower[] = [
  {
    name: 'emails of orders',
    events: 'order_events',
    plan: async (transaction, span, senderDomain) =>
      senderDomain === null ? 0 : addEmails(transaction, await listDueOrderEmails(transaction, span), senderDomain),
  },
  {
    name: 'emails of payments',
    events: 'payment_events',
    async plan(transaction, span, senderDomain) {
      const receipts = await listReceiptsDue(transaction, span);
      if (receipts.length > 0)
        await addToOutbox(
          transaction,
          receiptQueue.name,
          receipts.map((paymentId) => ({ paymentId })),
        );
      if (senderDomain === null) return receipts.length;
      const refunds = await listDueRefundEmails(transaction, span);
      return receipts.length + (await addEmails(transaction, refunds, senderDomain));
    },
  },
];

/**
 * Makes mails and receipts of what has happened, behind those who let it happen: they write their events and know nothing of mail.
 *
 * 1. It follows both timelines by a cursor, up to the oldest transaction that still runs; of several processes one at a time.
 * 2. What is due, its jobs and the new place of the cursor are one transaction: nothing is passed over, and nothing done twice.
 * 3. A cursor that is not there, as in a database that was restored, begins a day ago. What was told before has its source
 *    (`order-17`: the id of the event) in a row, and is not told again.
 *
 * Without mail the cursors move on, so that a shop that sets it up later does not tell old news; receipts are made all the same.
 */
export async function planEmails(deps: PlanEmailsDeps): Promise<number> {
  let planned = 0;
  for (const follower of followers) planned += await follow(deps, follower);
  if (planned > 0) deps.wakeRelay();
  return planned;
}

async function follow({ pool, settings, log }: PlanEmailsDeps, { name, events, plan }: Follower): Promise<number> {
  let planned = 0;
  for (let count = eventsAtOnce; count === eventsAtOnce; ) {
    // Without a lock, which would cost a transaction id each second of a quiet night.
    const place = (await readEventCursor(pool, name)) ?? (await begin(pool, name, events));
    if (!place || !(await findBatchEnd(pool, events, place, 1))) break;
    count = await pool.transaction(async (transaction) => {
      const after = await lockEventCursor(transaction, name);
      const upTo = after && (await findBatchEnd(transaction, events, after, eventsAtOnce));
      if (!after || !upTo) return 0; // another process is at it, or was
      planned += await plan(transaction, { after, upTo, maxAgeMs: newsMaxAgeMs }, settings.senderDomain);
      await moveEventCursor(transaction, name, upTo);
      return upTo.count;
    });
  }
  if (planned > 0) log.info({ follower: name, planned }, 'emails planned');
  return planned;
}

async function begin(pool: DatabasePool, name: string, events: FollowedEvents) {
  await beginEventCursor(pool, name, { events, ageMs: newsMaxAgeMs });
  return readEventCursor(pool, name);
}
