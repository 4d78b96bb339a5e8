import { z } from 'zod';
import { type PaymentStatus, paymentProviderSchema, paymentStatusSchema } from '../domain/payment.ts';
import { type Db, int8, sql } from './sql.ts';

export interface PaymentFigures {
  payments: readonly { provider: string; status: PaymentStatus; count: number }[];
  unknownOperations: { count: number; oldestSeconds: number };
  failingLooks: number;
  holds: { endingSoon: number; nextEndSeconds: number | null };
  events: { waiting: number; parked: number; oldestSeconds: number };
  quarantined: readonly { kind: string; count: number }[];
  differences: readonly { provider: string; kind: string; count: number }[];
  reconciled: readonly { provider: string; ageSeconds: number }[];
}

/** Longer than PayPal honours a hold: what is still under way is among them. */
const countedDays = 3;
/** A busy day must not make the figures slow: beyond so many, the newest are counted. */
const countedAtMost = 50_000;

/** How the money stands, from indexes of what is open and from the newest payments alone. */
export async function readPaymentFigures(db: Db): Promise<PaymentFigures> {
  const [payments, unknownOperations, failingLooks, holds, events, quarantined, differences, reconciled] =
    await Promise.all([
      db.any(sql.type(z.object({ provider: paymentProviderSchema, status: paymentStatusSchema, count: int8 }))`
      SELECT provider, status, count(*) AS count FROM (
        SELECT provider, status FROM payments WHERE id >= ${firstIdSince(countedDays)} ORDER BY id DESC LIMIT ${countedAtMost}
      ) AS newest GROUP BY provider, status
    `),
      db.one(sql.type(z.object({ count: int8, oldestSeconds: z.number() }))`
      SELECT count(*) AS count, coalesce(extract(epoch FROM now() - min(first_asked_at)), 0)::float8 AS "oldestSeconds"
      FROM payment_operations WHERE state = 'unknown'
    `),
      db.oneFirst(sql.type(z.object({ count: int8 }))`
      SELECT count(*) AS count FROM payments WHERE next_sync_at IS NOT NULL AND sync_failures > 0
    `),
      db.one(sql.type(z.object({ endingSoon: int8, nextEndSeconds: z.number().nullable() }))`
      SELECT count(*) FILTER (WHERE ends_at < now() + interval '24 hours') AS "endingSoon",
             extract(epoch FROM min(ends_at) - now())::float8 AS "nextEndSeconds"
      FROM (
        -- What is to be looked at again has an index, and what waits for a manager is little: no other hold is left to its end.
        SELECT coalesce(honoured_until, held_until) AS ends_at FROM payments WHERE next_sync_at IS NOT NULL AND status = 'authorised'
        UNION ALL
        SELECT coalesce(honoured_until, held_until) FROM payments
        WHERE next_sync_at IS NULL AND status = 'authorised' AND id IN (SELECT payment_id FROM quarantine WHERE state = 'open')
      ) AS hold
    `),
      db.one(sql.type(z.object({ waiting: int8, parked: int8, oldestSeconds: z.number() }))`
      SELECT count(*) FILTER (WHERE state = 'received') AS waiting, count(*) FILTER (WHERE state = 'parked') AS parked,
             coalesce(extract(epoch FROM now() - min(received_at) FILTER (WHERE state = 'received')), 0)::float8 AS "oldestSeconds"
      FROM webhook_events WHERE next_try_at IS NOT NULL
    `),
      db.any(sql.type(z.object({ kind: z.string(), count: int8 }))`
      SELECT kind, count(*) AS count FROM quarantine WHERE state = 'open' GROUP BY kind
    `),
      db.any(sql.type(z.object({ provider: z.string(), kind: z.string(), count: int8 }))`
      SELECT provider, kind, count(*) AS count FROM reconciliation_differences WHERE resolved_at IS NULL GROUP BY provider, kind
    `),
      db.any(sql.type(z.object({ provider: z.string(), ageSeconds: z.number() }))`
      SELECT provider, extract(epoch FROM now() - max(finished_at))::float8 AS "ageSeconds"
      FROM reconciliation_runs WHERE finished_at IS NOT NULL AND failure IS NULL GROUP BY provider
    `),
    ]);
  return { payments, unknownOperations, failingLooks, holds, events, quarantined, differences, reconciled };
}

/** Ids of payments are those of their orders, version 7: they begin with the time. */
export function firstIdSince(days: number): string {
  const ms = (Date.now() - days * 86_400_000).toString(16).padStart(12, '0');
  return `${ms.slice(0, 8)}-${ms.slice(8)}-7000-8000-000000000000`;
}
