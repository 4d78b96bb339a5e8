import { validate as isUuid } from 'uuid';
import { z } from 'zod';
import type { Money } from '../domain/money.ts';
import { type PaymentProvider, paymentProviderSchema } from '../domain/payment.ts';
import type { ProviderEvent } from '../payments/payment-gateway.ts';
import { type Db, int8, nothing, sql, time } from './sql.ts';

export interface NewWebhookEvent {
  /** Ours. */
  id: string;
  provider: PaymentProvider;
  event: ProviderEvent;
  rawBody: Buffer;
  source: 'webhook' | 'list';
}

/** The job that it is handled by may be lost: then the janitor has it handled. */
const handleAnywayAfter = sql.fragment`now() + interval '15 seconds'`;

/** Stores each once, in one statement; gives the ids of those that are new. */
export function insertWebhookEvents(db: Db, events: readonly NewWebhookEvent[]): Promise<readonly string[]> {
  return db.anyFirst(sql.type(z.object({ id: z.uuid() }))`
    INSERT INTO webhook_events (id, provider, event_id, type, occurred_at, payment_id, object_references, amount_minor, currency, raw_body, source, next_try_at)
    SELECT given.id, given.provider, given.event_id, given.type, given.occurred_at, given.payment_id,
           ARRAY (SELECT jsonb_array_elements_text(given.object_references)), given.amount_minor, given.currency, given.raw_body, given.source, ${handleAnywayAfter}
    FROM ${sql.unnest(
      events.map(({ id, provider, event, rawBody, source }) => [
        id,
        provider,
        storable(event.id),
        storable(event.type),
        timeOf(event.occurredAt),
        event.paymentId !== null && isUuid(event.paymentId) ? event.paymentId : null,
        JSON.stringify(event.references.map(storable)),
        event.amount?.amountMinor ?? null,
        event.amount?.currency ?? null,
        rawBody,
        source,
      ]),
      ['uuid', 'text', 'text', 'text', 'timestamptz', 'uuid', 'jsonb', 'int8', 'text', 'bytea', 'text'],
    )} AS given (id, provider, event_id, type, occurred_at, payment_id, object_references, amount_minor, currency, raw_body, source)
    ON CONFLICT (provider, event_id) DO NOTHING RETURNING id
  `);
}

/** Signed well, and still not text that Postgres can hold. The raw body keeps what came. */
const timeOf = (at: Date) => (Number.isNaN(at.getTime()) ? new Date() : at).toISOString();
const storable = (text: string) => text.replaceAll('\0', '').toWellFormed();

const eventRow = z
  .object({
    id: z.uuid(),
    provider: paymentProviderSchema,
    eventId: z.string(),
    type: z.string(),
    paymentId: z.uuid().nullable(),
    references: z.array(z.string()),
    amount_minor: int8.nullable(),
    currency: z.string().nullable(),
    state: z.enum(['received', 'handled', 'parked', 'quarantined', 'discarded']),
    tries: z.number(),
    receivedAt: time,
  })
  .transform(({ amount_minor, currency, ...row }) => ({
    ...row,
    amount:
      amount_minor === null || currency === null ? null : ({ amountMinor: amount_minor, currency } satisfies Money),
  }));
export type WebhookEvent = z.infer<typeof eventRow>;

/** Locked until the transaction ends: it is handled by one at a time. */
export function lockWebhookEvent(transaction: Db, id: string): Promise<WebhookEvent | null> {
  return transaction.maybeOne(sql.type(eventRow)`
    SELECT id, provider, event_id AS "eventId", type, payment_id AS "paymentId", object_references AS "references", amount_minor, currency,
           state, tries, received_at AS "receivedAt"
    FROM webhook_events WHERE id = ${id} FOR UPDATE
  `);
}

export async function endWebhookEvent(
  db: Db,
  id: string,
  state: 'handled' | 'quarantined' | 'discarded',
): Promise<void> {
  await db.query(sql.type(nothing)`
    UPDATE webhook_events SET state = ${state}, next_try_at = NULL, handled_at = now() WHERE id = ${id}
  `);
}

/** Nobody knows yet what it is about: tried again after 10 s, 20 s, 40 s … up to an hour. */
export async function parkWebhookEvent(db: Db, id: string): Promise<void> {
  await db.query(sql.type(nothing)`
    UPDATE webhook_events SET state = 'parked',
      next_try_at = now() + least(3600, 10 * 2 ^ least(tries, 10)) * interval '1 second'
    WHERE id = ${id}
  `);
}

const dueRow = z.object({ webhookEventId: z.uuid(), tries: z.number() });

/** Events that are to be handled by now; none of them is due again for a while. */
export function claimDueWebhookEvents(db: Db, limit: number): Promise<readonly z.infer<typeof dueRow>[]> {
  return db.any(sql.type(dueRow)`
    UPDATE webhook_events SET next_try_at = now() + interval '1 minute', tries = tries + 1
    WHERE id IN (SELECT id FROM webhook_events WHERE next_try_at <= now() ORDER BY next_try_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)
    RETURNING id AS "webhookEventId", tries
  `);
}

export function findWebhookEventBody(db: Db, id: string): Promise<string | null> {
  return db.maybeOneFirst(sql.type(z.object({ body: z.string() }))`
    SELECT convert_from(raw_body, 'UTF8') AS body FROM webhook_events WHERE id = ${id}
  `);
}
