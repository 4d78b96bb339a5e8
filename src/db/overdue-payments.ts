import { z } from 'zod';
import type { PaymentProvider } from '../domain/payment.ts';
import type { FoundDifference } from './reconciliation.ts';
import { type Db, int8, sql } from './sql.ts';

const findingRow = z
  .object({
    kind: z.enum(['capture_overdue', 'hold_not_released', 'money_not_returned', 'operation_stuck', 'webhook_parked']),
    about: z.string(),
    paymentId: z.uuid().nullable(),
    reference: z.string(),
    oursMinor: int8.nullable(),
    currency: z.string().nullable(),
    detail: z.string().nullable(),
  })
  .transform((row): FoundDifference => ({ ...row, theirsMinor: null, happenedAt: null }));

/** Everything that is done about a payment is done within seconds, or tried again within minutes. */
const grace = sql.fragment`interval '15 minutes'`;
/** A refund that was asked for may take days on its way. */
const refundGrace = sql.fragment`interval '3 days'`;
/** A refund that was refused and that nobody has asked for again: then nobody wants it any more. */
const refusalsFor = sql.fragment`interval '30 days'`;

/**
 * What should have happened by now, the longest overdue first; of these payments, or of all. An operation is listed where nothing says
 * the same more clearly.
 */
export function listOverduePayments(
  db: Db,
  provider: PaymentProvider,
  paymentIds: readonly string[] | null,
  limit: number,
): Promise<readonly FoundDifference[]> {
  const chosen = paymentIds
    ? sql.fragment`p.provider = ${provider} AND p.id = ANY (${sql.array([...paymentIds], 'uuid')})`
    : sql.fragment`p.provider = ${provider}`;
  const reference = sql.fragment`coalesce(p.capture_reference, p.authorisation_reference, p.checkout_reference, p.id::text)`;
  const tables = sql.fragment`payments p JOIN orders o ON o.id = p.id WHERE ${chosen}`;
  return db.any(sql.type(findingRow)`
    WITH overdue AS (
      SELECT 'capture_overdue' AS kind, 'capture' AS about, p.id, ${reference} AS reference,
        coalesce(p.accepted_minor, p.amount_minor) AS ours, p.currency, p.status AS detail, o.completed_at AS since
      FROM ${tables} AND o.status = 'complete' AND p.captured_minor = 0 AND o.completed_at < now() - ${grace}
      UNION ALL
      SELECT 'hold_not_released', 'hold', p.id, ${reference}, p.authorised_minor, p.currency, NULL, o.cancelled_at
      FROM ${tables} AND o.status = 'cancelled' AND p.status = 'authorised' AND o.cancelled_at < now() - ${grace}
      UNION ALL
      SELECT 'money_not_returned', 'refund', p.id, ${reference}, p.captured_minor - p.refunded_minor, p.currency, NULL, o.cancelled_at
      FROM ${tables} AND o.status = 'cancelled' AND p.captured_minor > p.refunded_minor AND o.cancelled_at < now() - ${grace}
        AND NOT (o.cancelled_at > now() - ${refundGrace} AND p.captured_minor <= (
          SELECT coalesce(sum(amount_minor), 0) FROM payment_operations WHERE payment_id = p.id AND type = 'refund' AND state <> 'failed'))
    ), stuck AS (
      SELECT 'operation_stuck' AS kind, operation.type AS about, p.id, operation.idempotency_key AS reference, operation.amount_minor AS ours,
        operation.currency, CASE WHEN operation.state = 'failed' THEN operation.error_kind || ', ' || operation.error_code || ': ' || operation.error_message
          ELSE 'how it ended was never heard' END AS detail, coalesce(operation.first_asked_at, operation.created_at) AS since
      FROM payment_operations operation JOIN payments p ON p.id = operation.payment_id
      WHERE ${chosen} AND NOT EXISTS (SELECT FROM overdue WHERE overdue.id = p.id) AND (
        (operation.state IN ('requested', 'unknown') AND coalesce(operation.first_asked_at, operation.created_at) < now() - ${grace})
        OR (operation.state = 'failed' AND operation.error_kind IN ('refused', 'declined') AND NOT EXISTS (
              SELECT FROM payment_operations later WHERE later.payment_id = p.id AND later.type = operation.type AND later.seq > operation.seq)
            AND CASE operation.type WHEN 'capture' THEN p.status = 'authorised' WHEN 'void' THEN p.status = 'authorised'
                  WHEN 'refund' THEN p.captured_minor > p.refunded_minor AND operation.finished_at > now() - ${refusalsFor} ELSE false END))
    )
    SELECT kind, about, id AS "paymentId", reference, ours AS "oursMinor", currency, detail
    FROM (SELECT kind, about, id, reference, ours, currency, detail, since FROM overdue UNION ALL
          SELECT kind, about, id, reference, ours, currency, detail, since FROM stuck) AS found
    ORDER BY since, reference LIMIT ${limit}
  `);
}

/**
 * Events that name a payment of ours which is not there. Those that name none are as likely of something that is sold elsewhere with
 * the same account, and no difference of ours.
 */
export function listParkedEvents(
  db: Db,
  provider: PaymentProvider,
  limit: number,
): Promise<readonly FoundDifference[]> {
  return db.any(sql.type(findingRow)`
    SELECT 'webhook_parked' AS kind, 'event' AS about, NULL::uuid AS "paymentId", event_id AS reference, NULL::bigint AS "oursMinor", NULL AS currency,
      type || ' of ' || array_to_string(object_references, ', ') AS detail
    FROM webhook_events
    WHERE provider = ${provider} AND state = 'parked' AND payment_id IS NOT NULL AND received_at < now() - interval '1 hour'
    ORDER BY received_at, id LIMIT ${limit}
  `);
}
