import { z } from 'zod';
import type { PaymentProvider } from '../domain/payment.ts';
import type { ComparedTime } from '../domain/reconciliation.ts';
import type { ProviderMovement } from '../payments/payment-gateway.ts';
import { type Db, int8, nothing, sql, time } from './sql.ts';

/**
 * The books of one provider for the length of a run, in temporary tables: a hundred thousand lines are compared where the ledger is,
 * and none of them in memory. All of these take the one connection of the run.
 */
export async function openListedMovements(connection: Db): Promise<void> {
  await closeListedMovements(connection);
  await connection.query(sql.type(nothing)`
    CREATE TEMPORARY TABLE listed_movements (
      kind text NOT NULL, reference text NOT NULL, related_reference text,
      -- Whose it is by its own account, and by ours.
      claimed_id uuid, payment_id uuid,
      amount_minor bigint NOT NULL, currency text NOT NULL, at timestamptz NOT NULL,
      PRIMARY KEY (kind, reference))
  `);
  await connection.query(sql.type(nothing)`
    CREATE INDEX listed_refunds_by_related ON listed_movements (related_reference) WHERE kind = 'refund'
  `);
  await connection.query(sql.type(nothing)`CREATE TEMPORARY TABLE suspect_payments (payment_id uuid PRIMARY KEY)`);
}

export async function closeListedMovements(connection: Db): Promise<void> {
  await connection.query(sql.type(nothing)`DROP TABLE IF EXISTS listed_movements, suspect_payments`);
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Adds a page, each line once, with the payment that it belongs to. What carries a name that is none of ours was sold elsewhere. */
export async function addListedMovements(
  connection: Db,
  provider: PaymentProvider,
  movements: readonly ProviderMovement[],
): Promise<void> {
  await connection.query(sql.type(nothing)`
    INSERT INTO listed_movements (kind, reference, related_reference, claimed_id, payment_id, amount_minor, currency, at)
    SELECT given.kind, given.reference, given.related_reference, given.claimed_id, coalesce(
        (SELECT id FROM payments WHERE id = given.claimed_id AND provider = ${provider}),
        (SELECT id FROM payments WHERE provider = ${provider} AND capture_reference = given.reference),
        (SELECT id FROM payments WHERE provider = ${provider} AND capture_reference = given.related_reference),
        (SELECT id FROM payments WHERE provider = ${provider} AND authorisation_reference = given.related_reference),
        (SELECT payment_id FROM payment_checkouts WHERE provider = ${provider} AND reference = given.related_reference)),
      given.amount_minor, given.currency, given.at
    FROM ${sql.unnest(
      movements.map(({ kind, reference, relatedReference, paymentId, amount, at }) => [
        kind,
        reference,
        relatedReference,
        paymentId !== null && uuid.test(paymentId) ? paymentId : null,
        amount.amountMinor,
        amount.currency,
        at.toISOString(),
      ]),
      ['text', 'text', 'text', 'uuid', 'int8', 'text', 'timestamptz'],
    )} AS given (kind, reference, related_reference, claimed_id, amount_minor, currency, at)
    ON CONFLICT DO NOTHING
  `);
}

/** How many lines there are, and how many of them are none of ours. Call when all pages are there: a refund is told by its capture. */
export async function countListedMovements(connection: Db): Promise<{ movements: number; ofOthers: number }> {
  await connection.query(sql.type(nothing)`CREATE INDEX ON listed_movements (claimed_id) WHERE payment_id IS NULL`);
  await connection.query(sql.type(nothing)`ANALYZE listed_movements`);
  await connection.query(sql.type(nothing)`
    UPDATE listed_movements refund SET claimed_id = capture.claimed_id FROM listed_movements capture
    WHERE refund.kind = 'refund' AND refund.payment_id IS NULL AND refund.claimed_id IS NULL
      AND capture.kind = 'capture' AND capture.payment_id IS NULL AND capture.claimed_id IS NOT NULL
      AND refund.related_reference IN (capture.reference, capture.related_reference)
  `);
  return connection.one(sql.type(z.object({ movements: z.number(), ofOthers: z.number() }))`
    SELECT count(*)::int AS movements, (count(*) FILTER (WHERE payment_id IS NULL AND claimed_id IS NULL))::int AS "ofOthers"
    FROM listed_movements
  `);
}

const within = (column: ReturnType<typeof sql.fragment>, { from, to }: ComparedTime) =>
  sql.fragment`${column} >= ${from.toISOString()} AND ${column} <= ${to.toISOString()}`;

/** Money given back, by the ledger. */
const refundEvents = sql.fragment`type IN ('payment_partially_refunded', 'payment_refunded')`;

/** Keeps the payments whose sums do not agree at first sight, and says how many were compared. */
export async function findSuspects(
  connection: Db,
  provider: PaymentProvider,
  compared: ComparedTime,
): Promise<{ compared: number; suspects: number }> {
  return connection.one(sql.type(z.object({ compared: z.number(), suspects: z.number() }))`
    WITH books AS (
      SELECT m.payment_id, coalesce(sum(m.amount_minor) FILTER (WHERE m.kind = 'capture'), 0) AS captured,
        coalesce(sum(m.amount_minor) FILTER (WHERE m.kind = 'refund'), 0) AS refunded,
        bool_or(m.currency <> p.currency OR (m.kind = 'capture' AND m.reference IS DISTINCT FROM p.capture_reference)) AS is_odd
      FROM listed_movements m JOIN payments p ON p.id = m.payment_id GROUP BY m.payment_id
    ), refunded_now AS (
      SELECT DISTINCT payment_id FROM payment_events WHERE ${refundEvents} AND ${within(sql.fragment`at`, compared)}
    ), sums AS (
      SELECT p.id, p.captured_minor, p.refunded_minor, b.captured, b.refunded, b.is_odd,
        r.payment_id IS NOT NULL AS is_refunded_now,
        coalesce(${within(sql.fragment`p.captured_at`, compared)}, false) AS is_captured_now
      FROM payments p LEFT JOIN books b ON b.payment_id = p.id LEFT JOIN refunded_now r ON r.payment_id = p.id
      WHERE p.provider = ${provider}
    ), compared AS (
      SELECT id, coalesce(is_odd, false)
          OR ((coalesce(captured, 0) > 0 OR is_captured_now) AND coalesce(captured, 0) <> captured_minor)
          OR ((coalesce(refunded, 0) > 0 OR is_refunded_now) AND coalesce(refunded, 0) <> refunded_minor) AS is_suspect
      FROM sums WHERE captured IS NOT NULL OR is_captured_now OR is_refunded_now
    ), kept AS (
      INSERT INTO suspect_payments SELECT id FROM compared WHERE is_suspect
    )
    SELECT count(*)::int AS compared, (count(*) FILTER (WHERE is_suspect))::int AS suspects FROM compared
  `);
}

/** A page of them, by id. */
export function listSuspects(connection: Db, after: string, limit: number): Promise<readonly string[]> {
  return connection.anyFirst(sql.type(z.object({ id: z.uuid() }))`
    SELECT payment_id AS id FROM suspect_payments WHERE payment_id > ${after} ORDER BY payment_id LIMIT ${limit}
  `);
}

const comparisonRow = z.object({
  paymentId: z.uuid(),
  currency: z.string(),
  reference: z.string(),
  captured: int8,
  refunded: int8,
  booksCaptured: int8,
  booksRefunded: int8,
  isCaptureSure: z.boolean(),
  sureRefunds: z.array(z.string()),
  capturedAt: time.nullable(),
  refundedAt: time.nullable(),
});
export type PaymentComparison = z.infer<typeof comparisonRow>;

/** Between our clock and theirs. */
const skew = sql.fragment`interval '5 minutes'`;
/** After so long, no provider's books are only late. */
const late = sql.fragment`interval '24 hours'`;

/** The ledger of a payment beside its lines in the books. */
export function comparePayment(connection: Db, paymentId: string, { from, to }: ComparedTime) {
  const books = sql.fragment`listed_movements m WHERE m.payment_id = p.id AND m.currency = p.currency`;
  const [start, end] = [from.toISOString(), to.toISOString()];
  // Asked for and heard of within the time, and not just now: the books must have it.
  const isSure = (
    asked: ReturnType<typeof sql.fragment>,
    ended: ReturnType<typeof sql.fragment>,
  ) => sql.fragment`${asked} >= ${start}::timestamptz + ${skew} AND ${ended} <= ${end}::timestamptz - ${skew}
    AND ${ended} < now() - ${late}`;
  const captureAsked = sql.fragment`coalesce((SELECT min(first_asked_at) FROM payment_operations
    WHERE payment_id = p.id AND type = 'capture'), p.authorised_at, p.created_at)`;
  return connection.one(sql.type(comparisonRow)`
    SELECT p.id AS "paymentId", p.currency, p.captured_minor AS captured, p.refunded_minor AS refunded,
      coalesce(p.capture_reference, p.authorisation_reference, p.checkout_reference, p.id::text) AS reference,
      (SELECT coalesce(sum(m.amount_minor), 0)::int8 FROM ${books} AND m.kind = 'capture' AND m.reference = p.capture_reference) AS "booksCaptured",
      (SELECT coalesce(sum(m.amount_minor), 0)::int8 FROM ${books} AND m.kind = 'refund') AS "booksRefunded",
      coalesce(${isSure(captureAsked, sql.fragment`p.captured_at`)}, false) AS "isCaptureSure",
      ARRAY (SELECT id::text FROM payment_operations WHERE payment_id = p.id AND type = 'refund' AND state = 'succeeded'
             AND ${isSure(sql.fragment`first_asked_at`, sql.fragment`finished_at`)}) AS "sureRefunds",
      coalesce((SELECT max(m.at) FROM ${books} AND m.kind = 'capture'), p.captured_at) AS "capturedAt",
      coalesce((SELECT max(m.at) FROM ${books} AND m.kind = 'refund'),
               (SELECT max(at) FROM payment_events WHERE payment_id = p.id AND ${refundEvents} AND at BETWEEN ${start} AND ${end})) AS "refundedAt"
    FROM payments p WHERE p.id = ${paymentId}
  `);
}

const oddRow = z.object({
  kind: z.enum(['capture', 'refund']),
  reference: z.string(),
  amountMinor: int8,
  currency: z.string(),
  at: time,
});
export type OddMovement = z.infer<typeof oddRow>;

const oddColumns = sql.fragment`m.kind, m.reference, m.amount_minor AS "amountMinor", m.currency, m.at`;

/** A capture that was given back as a whole is settled: nobody has anything to do about it, nor about its refunds. */
const isGivenBack = (capture: 'm' | 'c') => {
  const [reference, related, amount] = [
    sql.identifier([capture, 'reference']),
    sql.identifier([capture, 'related_reference']),
    sql.identifier([capture, 'amount_minor']),
  ];
  return sql.fragment`(SELECT coalesce(sum(r.amount_minor), 0) FROM listed_movements r
    WHERE r.kind = 'refund' AND r.related_reference IN (${reference}, ${related})) >= ${amount}`;
};

/** Lines of a payment of ours that its ledger does not have: a second capture, or another currency. */
export function listOddMovements(connection: Db, paymentId: string): Promise<readonly OddMovement[]> {
  return connection.any(sql.type(oddRow)`
    SELECT ${oddColumns} FROM listed_movements m JOIN payments p ON p.id = m.payment_id
    WHERE m.payment_id = ${paymentId}
      AND (m.currency <> p.currency
           OR (m.kind = 'capture' AND m.reference IS DISTINCT FROM p.capture_reference AND NOT ${isGivenBack('m')}))
  `);
}

/** A page of lines that name a payment which we do not have, by their reference. */
export function listUnknownMovements(connection: Db, after: string, limit: number): Promise<readonly OddMovement[]> {
  return connection.any(sql.type(oddRow)`
    SELECT ${oddColumns} FROM listed_movements m
    WHERE m.payment_id IS NULL AND m.claimed_id IS NOT NULL AND m.reference > ${after}
      AND NOT EXISTS (SELECT FROM listed_movements c WHERE c.kind = 'capture' AND c.claimed_id = m.claimed_id
                      AND (c.reference = m.reference OR m.related_reference IN (c.reference, c.related_reference)) AND ${isGivenBack('c')})
    ORDER BY m.reference LIMIT ${limit}
  `);
}
