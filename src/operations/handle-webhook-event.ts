import type { DatabasePool } from 'slonik';
import { findPayment, findPaymentByReference } from '../db/payments.ts';
import { quarantine } from '../db/quarantine.ts';
import type { Db } from '../db/sql.ts';
import { endWebhookEvent, lockWebhookEvent, parkWebhookEvent, type WebhookEvent } from '../db/webhook-events.ts';
import type { Logger } from '../log.ts';
import { askForLook } from './ask-for-look.ts';

export interface HandleWebhookEventDeps {
  pool: DatabasePool;
  wakeRelay(): void;
  log: Pick<Logger, 'info' | 'warn'>;
}

/** As long as providers repeat a delivery. After that somebody has to look. */
const parkedForMs = 3 * 86_400_000;

/** Everything else that an account is told of is none of an order's business. */
const ofPayments = /^(checkout\.session|payment_intent|charge|refund)\.|^(CHECKOUT\.ORDER|PAYMENT)\./;

/**
 * Finds out which payment an event is about and has it looked at. The event itself changes nothing: it may be late, doubled, or older than
 * what we know. One that came before its payment is known is kept and tried again; one that names another amount than was agreed
 * waits for a manager.
 */
export async function handleWebhookEvent(
  { pool, wakeRelay, log }: HandleWebhookEventDeps,
  webhookEventId: string,
): Promise<void> {
  await pool.transaction(async (transaction) => {
    const event = await lockWebhookEvent(transaction, webhookEventId);
    if (!event || (event.state !== 'received' && event.state !== 'parked')) return;
    if (!ofPayments.test(event.type)) return endWebhookEvent(transaction, event.id, 'handled');
    const payment = await findPaymentOf(transaction, event);
    const line = { provider: event.provider, eventId: event.eventId, type: event.type };
    if (!payment) {
      if (Date.now() - event.receivedAt < parkedForMs) return parkWebhookEvent(transaction, event.id);
      // The shop sells elsewhere with the same account: kept, and none of our business.
      if (event.paymentId === null) return endWebhookEvent(transaction, event.id, 'discarded');
      log.warn(line, 'webhook event names a payment that is not ours');
      return setAside(transaction, event, null, 'object_unknown');
    }
    const expected = { ...payment.amount, amountMinor: payment.acceptedMinor ?? payment.amount.amountMinor };
    if (event.amount && event.amount.currency !== expected.currency) {
      log.warn({ ...line, orderNumber: payment.orderNumber }, 'webhook event with another currency quarantined');
      return setAside(transaction, event, payment, 'currency_differs');
    }
    if (event.amount && event.amount.amountMinor !== expected.amountMinor) {
      log.warn({ ...line, orderNumber: payment.orderNumber }, 'webhook event with another amount quarantined');
      return setAside(transaction, event, payment, 'amount_differs');
    }
    await endWebhookEvent(transaction, event.id, 'handled');
    await askForLook(transaction, payment.id);
  });
  wakeRelay();
}

async function findPaymentOf(db: Db, event: WebhookEvent) {
  const named = event.paymentId ? await findPayment(db, event.paymentId) : null;
  if (named?.provider === event.provider) return named;
  const id = await findPaymentByReference(db, event.provider, event.references);
  return id === null ? null : findPayment(db, id);
}

async function setAside(
  db: Db,
  event: WebhookEvent,
  payment: Awaited<ReturnType<typeof findPayment>>,
  kind: 'amount_differs' | 'currency_differs' | 'object_unknown',
): Promise<void> {
  await quarantine(db, {
    paymentId: payment?.id ?? null,
    webhookEventId: event.id,
    kind,
    expected: payment?.amount ?? null,
    found: event.amount,
    detail:
      kind === 'object_unknown'
        ? `${event.provider} told of ${event.references.join(', ')} for payment ${event.paymentId}, which was not here for three days.`
        : `An event ${event.type} about order ${payment?.orderNumber} names another amount than was agreed.`,
  });
  await endWebhookEvent(db, event.id, 'quarantined');
}
