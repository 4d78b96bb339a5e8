import { z } from 'zod';
import type { Money } from '../domain/money.ts';
import { orderStatusSchema } from '../domain/order-status.ts';
import {
  type PaymentProvider,
  type PaymentStatus,
  paymentMoves,
  paymentProviderSchema,
  paymentStatuses,
  paymentStatusSchema,
} from '../domain/payment.ts';
import { type Db, int8, nothing, sql, time } from './sql.ts';

const date = time.transform((ms) => new Date(ms));

const paymentRow = z
  .object({
    id: z.uuid(),
    orderNumber: int8,
    orderStatus: orderStatusSchema,
    provider: paymentProviderSchema,
    status: paymentStatusSchema,
    amount_minor: int8,
    currency: z.string(),
    acceptedMinor: int8.nullable(),
    checkoutReference: z.string().nullable(),
    checkoutUrl: z.string().nullable(),
    checkoutExpiresAt: date.nullable(),
    authorisationReference: z.string().nullable(),
    authorisedMinor: int8.nullable(),
    heldUntil: date.nullable(),
    honouredUntil: date.nullable(),
    captureReference: z.string().nullable(),
    capturedMinor: int8,
    refundedMinor: int8,
    failureCode: z.string().nullable(),
    failureMessage: z.string().nullable(),
    syncNo: z.number(),
    syncedNo: z.number(),
    syncFailures: z.number(),
    createdAt: date,
  })
  .transform(({ amount_minor, currency, ...row }) => ({
    ...row,
    amount: { amountMinor: amount_minor, currency } satisfies Money as Money,
  }));
/** The payment of an order as the ledger has it, with the status of its order. */
export type Payment = z.infer<typeof paymentRow>;

const columns = sql.fragment`
  p.id, p.order_number AS "orderNumber", o.status AS "orderStatus", p.provider, p.status, p.amount_minor, p.currency,
  p.accepted_minor AS "acceptedMinor", p.checkout_reference AS "checkoutReference", p.checkout_url AS "checkoutUrl",
  p.checkout_expires_at AS "checkoutExpiresAt", p.authorisation_reference AS "authorisationReference",
  p.authorised_minor AS "authorisedMinor", p.held_until AS "heldUntil", p.honoured_until AS "honouredUntil",
  p.capture_reference AS "captureReference", p.captured_minor AS "capturedMinor", p.refunded_minor AS "refundedMinor",
  p.failure_code AS "failureCode", p.failure_message AS "failureMessage", p.sync_no AS "syncNo", p.synced_no AS "syncedNo",
  p.sync_failures AS "syncFailures", p.created_at AS "createdAt"`;

export function findPayment(db: Db, paymentId: string): Promise<Payment | null> {
  return db.maybeOne(
    sql.type(paymentRow)`SELECT ${columns} FROM payments p JOIN orders o ON o.id = p.id WHERE p.id = ${paymentId}`,
  );
}

export function findPaymentOfOrder(db: Db, orderNumber: number): Promise<Payment | null> {
  return db.maybeOne(
    sql.type(
      paymentRow,
    )`SELECT ${columns} FROM payments p JOIN orders o ON o.id = p.id WHERE p.order_number = ${orderNumber}`,
  );
}

/** Nobody else changes it until the transaction ends. */
export function lockPaymentOfOrder(transaction: Db, orderNumber: number): Promise<Payment | null> {
  return transaction.maybeOne(
    sql.type(
      paymentRow,
    )`SELECT ${columns} FROM payments p JOIN orders o ON o.id = p.id WHERE p.order_number = ${orderNumber} FOR UPDATE OF p`,
  );
}

/** By any of the provider's names for something of it; null when we know none of them. */
export function findPaymentByReference(
  db: Db,
  provider: PaymentProvider,
  references: readonly string[],
): Promise<string | null> {
  const names = sql.array([...references], 'text');
  return db.maybeOneFirst(sql.type(z.object({ id: z.uuid() }))`
    SELECT payment_id AS id FROM payment_checkouts WHERE provider = ${provider} AND reference = ANY (${names})
    UNION
    SELECT id FROM payments WHERE provider = ${provider} AND authorisation_reference = ANY (${names})
    UNION
    SELECT id FROM payments WHERE provider = ${provider} AND capture_reference = ANY (${names})
    LIMIT 1
  `);
}

// ── the lease: one process at a time talks to the provider about a payment ───────────────────────────────────────────

/** What the payment is asked to be looked at for, at the moment the lease begins; null while another process has it. */
export function claimPayment(db: Db, paymentId: string, leaseId: string, leaseMs: number): Promise<number | null> {
  return db.maybeOneFirst(sql.type(z.object({ syncNo: z.number() }))`
    UPDATE payments SET lease_id = ${leaseId}, lease_until = now() + ${leaseMs}::float8 * interval '1 millisecond'
    WHERE id = ${paymentId} AND (lease_until IS NULL OR lease_until < now()) RETURNING sync_no AS "syncNo"
  `);
}

/** False when the lease ran out and somebody else has it: let go at once. */
export async function renewPaymentLease(db: Db, paymentId: string, leaseId: string, leaseMs: number): Promise<boolean> {
  const { rowCount } = await db.query(sql.type(nothing)`
    UPDATE payments SET lease_until = now() + ${leaseMs}::float8 * interval '1 millisecond'
    WHERE id = ${paymentId} AND lease_id = ${leaseId} AND lease_until >= now()
  `);
  return rowCount === 1;
}

/** Nobody else writes about the payment until the transaction ends. False when the lease is not ours any more: what we read may be old. */
export async function lockLeasedPayment(transaction: Db, paymentId: string, leaseId: string): Promise<boolean> {
  return transaction.exists(
    sql.type(nothing)`SELECT FROM payments WHERE id = ${paymentId} AND lease_id = ${leaseId} FOR UPDATE`,
  );
}

/** Ends a look that came to its end. `has more`: something was asked for meanwhile. `lost`: another process has the lease. */
export async function endPaymentLook(
  db: Db,
  paymentId: string,
  leaseId: string,
  end: { syncedNo: number; nextSyncAt: Date | null },
): Promise<'done' | 'has more' | 'lost'> {
  const hasMore = await db.maybeOneFirst(sql.type(z.object({ hasMore: z.boolean() }))`
    UPDATE payments SET lease_id = NULL, lease_until = NULL, synced_no = ${end.syncedNo}, sync_failures = 0,
      next_sync_at = CASE WHEN sync_no > ${end.syncedNo} THEN now() ELSE ${end.nextSyncAt?.toISOString() ?? null}::timestamptz END
    WHERE id = ${paymentId} AND lease_id = ${leaseId} RETURNING sync_no > ${end.syncedNo} AS "hasMore"
  `);
  if (hasMore === null) return 'lost';
  return hasMore ? 'has more' : 'done';
}

/** Ends a look that failed: the janitor tries again then, or after a minute, two, four … up to an hour, whatever becomes of its job. */
export async function failPaymentLook(
  db: Db,
  paymentId: string,
  leaseId: string,
  { nextSyncAt, pauseMs }: { nextSyncAt: Date | null; pauseMs: number | null },
): Promise<void> {
  // The provider asked for a pause: nobody else looks meanwhile, whatever they have heard.
  if (pauseMs !== null) {
    await db.query(sql.type(nothing)`
      UPDATE payments SET lease_until = now() + ${pauseMs}::float8 * interval '1 millisecond', sync_failures = sync_failures + 1,
        next_sync_at = now() + ${pauseMs}::float8 * interval '1 millisecond'
      WHERE id = ${paymentId} AND lease_id = ${leaseId}
    `);
    return;
  }
  await db.query(sql.type(nothing)`
    UPDATE payments SET lease_id = NULL, lease_until = NULL, sync_failures = sync_failures + 1,
      next_sync_at = coalesce(${nextSyncAt?.toISOString() ?? null}::timestamptz,
        now() + least(60, 2 ^ least(sync_failures, 10)) * interval '1 minute')
    WHERE id = ${paymentId} AND lease_id = ${leaseId}
  `);
}

// ── asking for a look ────────────────────────────────────────────────────────────────────────────────────────────────

const syncRow = z.object({ paymentId: z.uuid(), syncNo: z.number() });
export type PaymentSync = z.infer<typeof syncRow>;

/** The job that a look is made by may be lost: then the janitor has it made. */
const lookAnywayAfter = sql.fragment`now() + interval '15 seconds'`;

/** Asks for a look at each of these payments. Call `addToOutbox` with the answer in the same transaction. */
export function requestPaymentSyncs(db: Db, paymentIds: readonly string[]): Promise<readonly PaymentSync[]> {
  return db.any(sql.type(syncRow)`
    UPDATE payments SET sync_no = sync_no + 1, next_sync_at = ${lookAnywayAfter}
    WHERE id = ANY (${sql.array([...paymentIds], 'uuid')}) RETURNING id AS "paymentId", sync_no AS "syncNo"
  `);
}

/** Payments that are to be looked at by now, the longest overdue first; each is asked for, and not due again for a while. */
export function requestDueSyncs(db: Db, limit: number): Promise<readonly PaymentSync[]> {
  return db.any(sql.type(syncRow)`
    UPDATE payments SET sync_no = sync_no + 1, next_sync_at = now() + interval '1 minute'
    WHERE id IN (SELECT id FROM payments WHERE next_sync_at <= now() AND (lease_until IS NULL OR lease_until < now())
                 ORDER BY next_sync_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)
    RETURNING id AS "paymentId", sync_no AS "syncNo"
  `);
}

/** Payments with a request that no look has answered: what a queue store that was lost has to get back. */
export function listUnansweredSyncs(db: Db): Promise<readonly PaymentSync[]> {
  return db.any(sql.type(syncRow)`
    SELECT id AS "paymentId", sync_no AS "syncNo" FROM payments
    WHERE sync_no > synced_no AND next_sync_at IS NOT NULL ORDER BY next_sync_at LIMIT 10000
  `);
}

// ── what becomes of it ───────────────────────────────────────────────────────────────────────────────────────────────

export async function saveCheckout(
  db: Db,
  paymentId: string,
  provider: PaymentProvider,
  checkout: { reference: string; url: string; expiresAt: Date },
): Promise<void> {
  await db.query(sql.type(nothing)`
    WITH checkout AS (
      INSERT INTO payment_checkouts (provider, reference, payment_id) VALUES (${provider}, ${checkout.reference}, ${paymentId})
      ON CONFLICT DO NOTHING
    )
    UPDATE payments SET checkout_reference = ${checkout.reference}, checkout_url = ${checkout.url},
      checkout_expires_at = ${checkout.expiresAt.toISOString()}, failure_code = NULL, failure_message = NULL, updated_at = now()
    WHERE id = ${paymentId}
  `);
}

export interface SeenPayment {
  status: PaymentStatus;
  authorisationReference: string | null;
  authorisedMinor: number | null;
  heldUntil: Date | null;
  honouredUntil: Date | null;
  captureReference: string | null;
  capturedMinor: number;
  refundedMinor: number;
  failureCode: string | null;
  failureMessage: string | null;
}

/**
 * Writes down where the money is. Set, never added to: the same twice is once. Gives the former status, or null when the move is
 * none that a payment can make.
 */
export async function saveSeenPayment(db: Db, paymentId: string, seen: SeenPayment): Promise<PaymentStatus | null> {
  const before = paymentStatuses.filter((from) => from === seen.status || paymentMoves[from].includes(seen.status));
  return db.maybeOneFirst(sql.type(z.object({ status: paymentStatusSchema }))`
    UPDATE payments p SET status = ${seen.status}, authorisation_reference = coalesce(${seen.authorisationReference}, p.authorisation_reference),
      authorised_minor = coalesce(${seen.authorisedMinor}::bigint, p.authorised_minor),
      held_until = ${seen.heldUntil?.toISOString() ?? null}::timestamptz, honoured_until = ${seen.honouredUntil?.toISOString() ?? null}::timestamptz,
      capture_reference = coalesce(${seen.captureReference}, p.capture_reference),
      captured_minor = ${seen.capturedMinor}, refunded_minor = ${seen.refundedMinor},
      failure_code = ${seen.failureCode}, failure_message = ${seen.failureMessage},
      authorised_at = CASE WHEN ${seen.status} = 'authorised' THEN coalesce(p.authorised_at, now()) ELSE p.authorised_at END,
      captured_at = CASE WHEN ${seen.capturedMinor} > 0 THEN coalesce(p.captured_at, now()) ELSE p.captured_at END,
      updated_at = now()
    FROM payments former
    WHERE p.id = ${paymentId} AND former.id = p.id AND p.status = ANY (${sql.array(before, 'text')})
    RETURNING former.status
  `);
}

/** The provider's names for what it has, where its state is none that the ledger can follow: whoever decides about it needs them. */
export async function savePaymentReferences(
  db: Db,
  paymentId: string,
  seen: Pick<SeenPayment, 'authorisationReference' | 'captureReference'>,
): Promise<void> {
  await db.query(sql.type(nothing)`
    UPDATE payments SET authorisation_reference = coalesce(${seen.authorisationReference}, authorisation_reference),
      capture_reference = coalesce(${seen.captureReference}, capture_reference), updated_at = now()
    WHERE id = ${paymentId}
  `);
}

/** A payment that nothing came of. Null when it is not one that may end like this. */
export async function endPayment(
  db: Db,
  paymentId: string,
  status: 'expired' | 'failed',
  failure: { code: string; message: string } | null,
): Promise<PaymentStatus | null> {
  const before = paymentStatuses.filter((from) => paymentMoves[from].includes(status));
  return db.maybeOneFirst(sql.type(z.object({ status: paymentStatusSchema }))`
    UPDATE payments p SET status = ${status}, failure_code = coalesce(${failure?.code ?? null}, p.failure_code),
      failure_message = coalesce(${failure?.message ?? null}, p.failure_message), updated_at = now()
    FROM payments former
    WHERE p.id = ${paymentId} AND former.id = p.id AND p.status = ANY (${sql.array(before, 'text')}) RETURNING former.status
  `);
}

/** What came is what shall be taken, a manager has decided. */
export async function acceptAmount(db: Db, paymentId: string, amountMinor: number): Promise<void> {
  await db.query(sql.type(nothing)`
    UPDATE payments SET accepted_minor = ${amountMinor}, updated_at = now() WHERE id = ${paymentId}
  `);
}
