import type { DatabasePool } from 'slonik';
import { paymentSyncQueue } from '../../queues/payment-sync.ts';
import { recordAudit } from '../db/audit-events.ts';
import { notify } from '../db/notify.ts';
import { cancelOrderRow } from '../db/orders.ts';
import { addToOutbox } from '../db/outbox.ts';
import { recordPaymentEvent } from '../db/payment-events.ts';
import { acceptAmount, findPayment, findPaymentByReference, requestPaymentSyncs } from '../db/payments.ts';
import { decideQuarantineCase, findQuarantineCase, type StoredQuarantineCase } from '../db/quarantine.ts';
import { decideEventsOfPayment } from '../db/quarantined-events.ts';
import type { Db } from '../db/sql.ts';
import { endWebhookEvent, lockWebhookEvent } from '../db/webhook-events.ts';
import type { AuditActor } from '../domain/audit.ts';
import { QuarantineDecidedError, QuarantineNotFoundError, QuarantineNotReleasableError } from '../domain/errors.ts';
import type { OrderStatus } from '../domain/order-status.ts';
import { whyNotReleasable } from '../domain/quarantine.ts';
import type { Logger } from '../log.ts';

export interface DecideQuarantineDeps {
  pool: DatabasePool;
  announce(): void;
  wakeRelay(): void;
  log: Pick<Logger, 'info'>;
}

export interface Decision {
  caseId: string;
  by: { actor: AuditActor; address: string };
}

/**
 * What came shall count: an event has its payment looked at, and a payment goes on with the amount that came. Whatever the provider has
 * by then is read anew, so a release never takes more than what somebody has seen.
 */
export async function releaseQuarantine(
  { pool, wakeRelay, log }: DecideQuarantineDeps,
  { caseId, by }: Decision,
): Promise<StoredQuarantineCase> {
  const released = await pool.transaction(async (transaction) => {
    const one = await decide(transaction, caseId, 'released', by);
    const reason = whyNotReleasable({ about: one.webhookEventId ? 'event' : 'payment', kind: one.kind, state: 'open' });
    if (reason !== null) throw new QuarantineNotReleasableError(reason);
    const paymentId = one.webhookEventId ? await releaseEvent(transaction, one.webhookEventId) : one.paymentId;
    if (paymentId === null)
      throw new QuarantineNotReleasableError('There is still nothing of ours that this event is about.');
    if (!one.webhookEventId && one.found) {
      await acceptAmount(transaction, paymentId, one.found.amountMinor);
      const { amountMinor, currency } = one.found;
      await recordPaymentEvent(transaction, {
        paymentId,
        type: 'payment_released',
        actor: 'manager',
        detail: { kind: one.kind, amountMinor, currency },
      });
    }
    await addToOutbox(transaction, paymentSyncQueue.name, await requestPaymentSyncs(transaction, [paymentId]));
    return get(transaction, caseId);
  });
  wakeRelay();
  log.info({ caseId, kind: released.kind, orderNumber: released.orderNumber }, 'quarantine released');
  return released;
}

const cancellable: OrderStatus[] = ['awaiting_payment', 'pending', 'processing', 'failed'];

/** What came shall not count: an event is passed over; an order whose payment is wrong is cancelled, and its money goes back. */
export async function discardQuarantine(
  { pool, announce, wakeRelay, log }: DecideQuarantineDeps,
  { caseId, by }: Decision,
): Promise<StoredQuarantineCase> {
  const { discarded, isCancelled } = await pool.transaction(async (transaction) => {
    const one = await decide(transaction, caseId, 'discarded', by);
    if (one.webhookEventId) {
      await endWebhookEvent(transaction, one.webhookEventId, 'discarded');
      return { discarded: await get(transaction, caseId), isCancelled: false };
    }
    const isCancelled = await discardPayment(transaction, one);
    return { discarded: await get(transaction, caseId), isCancelled };
  });
  if (isCancelled) {
    announce();
    await notify(pool, 'twolane_bots');
  }
  wakeRelay();
  log.info({ caseId, kind: discarded.kind, orderNumber: discarded.orderNumber }, 'quarantine discarded');
  return discarded;
}

/** One of two who decide at the same time waits here for the other, and is told. */
async function decide(
  transaction: Db,
  caseId: string,
  state: 'released' | 'discarded',
  by: Decision['by'],
): Promise<StoredQuarantineCase> {
  const isOurs = await decideQuarantineCase(transaction, caseId, state, by.actor.name);
  const one = await get(transaction, caseId);
  if (!isOurs) throw new QuarantineDecidedError(one.state);
  const { kind, orderNumber, provider, paymentId } = one;
  if (!one.webhookEventId && paymentId) await decideEventsOfPayment(transaction, paymentId, kind, state, by.actor.name);
  await recordAudit(transaction, {
    action: state === 'released' ? 'quarantine_released' : 'quarantine_discarded',
    subject: orderNumber === null ? `${provider} event` : `order ${orderNumber}`,
    detail: { caseId, kind, found: one.found?.amountMinor ?? null, currency: one.found?.currency ?? null },
    ...by,
  });
  return one;
}

async function get(db: Db, caseId: string): Promise<StoredQuarantineCase> {
  const one = await findQuarantineCase(db, caseId);
  if (!one) throw new QuarantineNotFoundError();
  return one;
}

/** The payment that the event is about, by what is known now; null when there is none. */
async function releaseEvent(transaction: Db, webhookEventId: string): Promise<string | null> {
  const event = await lockWebhookEvent(transaction, webhookEventId);
  if (!event) return null;
  await endWebhookEvent(transaction, event.id, 'handled');
  const named = event.paymentId ? await findPayment(transaction, event.paymentId) : null;
  if (named?.provider === event.provider) return named.id;
  return findPaymentByReference(transaction, event.provider, event.references);
}

/** Whether the order was one that could still be cancelled. A complete one is refunded by hand. */
async function discardPayment(
  transaction: Db,
  { orderNumber, paymentId, kind }: StoredQuarantineCase,
): Promise<boolean> {
  if (orderNumber === null || paymentId === null) return false;
  // The order first: so does everybody who moves both.
  const cancelled = await cancelOrderRow(transaction, {
    orderNumber,
    userId: null,
    from: cancellable,
    actor: 'manager',
    reason: 'payment_discarded',
  });
  await recordPaymentEvent(transaction, { paymentId, type: 'payment_discarded', actor: 'manager', detail: { kind } });
  // One that was cancelled before has its money looked at all the same.
  if (!cancelled)
    await addToOutbox(transaction, paymentSyncQueue.name, await requestPaymentSyncs(transaction, [paymentId]));
  return cancelled !== null;
}
