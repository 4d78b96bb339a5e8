import { z } from 'zod';
import type { Money } from '../domain/money.ts';
import { type PaymentProvider, paymentProviderSchema } from '../domain/payment.ts';
import {
  bookDifferences,
  type ComparedTime,
  type Difference,
  type DifferenceKind,
  differenceKindSchema,
  ledgerDifferences,
  ownerOf,
  type ReconciliationRun,
  whatToDo,
} from '../domain/reconciliation.ts';
import { isoTime } from '../domain/time.ts';
import { type Db, int8, nothing, sql, time } from './sql.ts';

/** Null when somebody else is at it. The lock ends with the connection, whatever becomes of it. */
export async function withReconciliationLock<T>(connection: Db, work: () => Promise<T>): Promise<T | null> {
  const isOurs = await connection.oneFirst(
    sql.type(z.object({ locked: z.boolean() }))`SELECT pg_try_advisory_lock(7201003) AS locked`,
  );
  if (!isOurs) return null;
  try {
    return await work();
  } finally {
    await connection.query(sql.type(nothing)`SELECT pg_advisory_unlock(7201003)`);
  }
}

// ── runs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

const runRow = z
  .object({
    id: z.uuid(),
    provider: paymentProviderSchema,
    from: time,
    to: time,
    startedAt: time,
    finishedAt: time.nullable(),
    movements: z.number(),
    ofOthers: z.number(),
    compared: z.number(),
    lookedAt: z.number(),
    found: z.number(),
    resolved: z.number(),
    failure: z.string().nullable(),
  })
  .transform(
    ({ from, to, startedAt, finishedAt, ...row }): ReconciliationRun => ({
      ...row,
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      startedAt: new Date(startedAt).toISOString(),
      finishedAt: isoTime(finishedAt),
      state: finishedAt === null ? 'running' : row.failure === null ? 'done' : 'failed',
    }),
  );

const runColumns = sql.fragment`
  id, provider, from_time AS "from", to_time AS "to", started_at AS "startedAt", finished_at AS "finishedAt", movements,
  of_others AS "ofOthers", compared, looked_at AS "lookedAt", found, resolved, failure`;

/** The last twenty, and of each provider the last; newest first. */
export function listReconciliationRuns(db: Db): Promise<readonly ReconciliationRun[]> {
  return db.any(sql.type(runRow)`
    SELECT ${runColumns} FROM reconciliation_runs WHERE id IN (
      (SELECT id FROM reconciliation_runs ORDER BY started_at DESC LIMIT 20) UNION
      (SELECT DISTINCT ON (provider) id FROM reconciliation_runs ORDER BY provider, started_at DESC))
    ORDER BY started_at DESC
  `);
}

export function insertReconciliationRun(
  db: Db,
  provider: PaymentProvider,
  { from, to }: ComparedTime,
): Promise<string> {
  return db.oneFirst(sql.type(z.object({ id: z.uuid() }))`
    INSERT INTO reconciliation_runs (provider, from_time, to_time, started_at)
    VALUES (${provider}, ${from.toISOString()}, ${to.toISOString()}, clock_timestamp()) RETURNING id
  `);
}

export type RunCounts = Pick<
  ReconciliationRun,
  'movements' | 'ofOthers' | 'compared' | 'lookedAt' | 'found' | 'resolved'
>;

export async function saveRunCounts(db: Db, runId: string, counts: RunCounts): Promise<void> {
  await db.query(sql.type(nothing)`
    UPDATE reconciliation_runs SET movements = ${counts.movements}, of_others = ${counts.ofOthers}, compared = ${counts.compared},
      looked_at = ${counts.lookedAt}, found = ${counts.found}, resolved = ${counts.resolved}
    WHERE id = ${runId}
  `);
}

export async function endReconciliationRun(db: Db, runId: string, failure: string | null): Promise<void> {
  await db.query(sql.type(nothing)`
    UPDATE reconciliation_runs SET finished_at = clock_timestamp(), failure = ${failure} WHERE id = ${runId}
  `);
}

/** Call with the lock: whoever had begun these is no more. */
export async function endInterruptedRuns(db: Db): Promise<void> {
  await db.query(sql.type(nothing)`
    UPDATE reconciliation_runs SET finished_at = clock_timestamp(), failure = 'interrupted' WHERE finished_at IS NULL
  `);
}

const date = time.transform((ms) => new Date(ms)).nullable();
const historyRow = z.object({ lastGoodTo: date, oldestOpen: date });

/** What the next comparison has to reach back to. */
export function findReconciliationHistory(db: Db, provider: PaymentProvider): Promise<z.infer<typeof historyRow>> {
  return db.one(sql.type(historyRow)`
    SELECT (SELECT max(to_time) FROM reconciliation_runs WHERE provider = ${provider} AND finished_at IS NOT NULL AND failure IS NULL) AS "lastGoodTo",
      (SELECT min(happened_at) FROM reconciliation_differences WHERE provider = ${provider} AND resolved_at IS NULL) AS "oldestOpen"
  `);
}

/** Whether there may be money of ours at a provider, whatever is set up now. */
export function hasLivePaymentsOf(db: Db, provider: PaymentProvider): Promise<boolean> {
  return db.oneFirst(sql.type(z.object({ exists: z.boolean() }))`
    SELECT EXISTS (SELECT FROM payments WHERE provider = ${provider}
                   AND (status IN ('requires_payment', 'authorised') OR updated_at > now() - interval '30 days')) AS exists
  `);
}

// ── differences ──────────────────────────────────────────────────────────────────────────────────────────────────────

export interface FoundDifference {
  kind: DifferenceKind;
  about: string;
  paymentId: string | null;
  reference: string;
  oursMinor: number | null;
  theirsMinor: number | null;
  currency: string | null;
  detail: string | null;
  /** Null for what our own ledger shows. */
  happenedAt: Date | null;
}

/** Writes down what was found; what is open already was seen once more. */
export async function saveDifference(
  db: Db,
  run: { id: string; provider: PaymentProvider },
  found: FoundDifference,
): Promise<void> {
  await db.query(sql.type(nothing)`
    INSERT INTO reconciliation_differences (provider, kind, about, payment_id, reference, ours_minor, theirs_minor, currency, detail,
      happened_at, first_seen_run, last_seen_run)
    VALUES (${run.provider}, ${found.kind}, ${found.about}, ${found.paymentId}, ${found.reference}, ${found.oursMinor}, ${found.theirsMinor},
      ${found.currency}, ${found.detail}, ${found.happenedAt?.toISOString() ?? null}, ${run.id}, ${run.id})
    ON CONFLICT (provider, kind, about, reference) WHERE resolved_at IS NULL DO UPDATE SET
      payment_id = excluded.payment_id, ours_minor = excluded.ours_minor, theirs_minor = excluded.theirs_minor,
      currency = excluded.currency, detail = excluded.detail, happened_at = excluded.happened_at,
      last_seen_run = excluded.last_seen_run, last_seen_at = now()
  `);
}

/** What could not be looked at now is neither found nor gone. */
export async function keepDifferencesOf(db: Db, runId: string, paymentId: string): Promise<void> {
  await db.query(sql.type(nothing)`
    UPDATE reconciliation_differences SET last_seen_run = ${runId} WHERE payment_id = ${paymentId} AND resolved_at IS NULL
  `);
}

/** Resolves what a run would have found and has not; gives how many. */
export async function resolveBookDifferences(
  db: Db,
  run: { id: string; provider: PaymentProvider },
  { from, to }: ComparedTime,
): Promise<number> {
  const { rowCount } = await db.query(sql.type(nothing)`
    UPDATE reconciliation_differences SET resolved_at = now()
    WHERE provider = ${run.provider} AND kind = ANY (${sql.array([...bookDifferences], 'text')}) AND resolved_at IS NULL
      AND last_seen_run <> ${run.id} AND happened_at BETWEEN ${from.toISOString()} AND ${to.toISOString()}
  `);
  return rowCount;
}

export async function resolveLedgerDifferences(
  db: Db,
  run: { id: string; provider: PaymentProvider },
): Promise<number> {
  const { rowCount } = await db.query(sql.type(nothing)`
    UPDATE reconciliation_differences SET resolved_at = now()
    WHERE provider = ${run.provider} AND kind = ANY (${sql.array([...ledgerDifferences], 'text')}) AND resolved_at IS NULL
      AND last_seen_run <> ${run.id}
  `);
  return rowCount;
}

const moneyOf = (amountMinor: number | null, currency: string | null): Money | null =>
  amountMinor === null || currency === null ? null : { amountMinor, currency };

const differenceRow = z
  .object({
    id: z.uuid(),
    kind: differenceKindSchema,
    provider: paymentProviderSchema,
    about: z.string(),
    orderNumber: int8.nullable(),
    reference: z.string(),
    oursMinor: int8.nullable(),
    theirsMinor: int8.nullable(),
    currency: z.string().nullable(),
    detail: z.string().nullable(),
    firstSeenAt: time,
    lastSeenAt: time,
    resolvedAt: time.nullable(),
  })
  .transform(({ oursMinor, theirsMinor, currency, detail, ...row }): Difference => {
    const ours = moneyOf(oursMinor, currency);
    const theirs = moneyOf(theirsMinor, currency);
    return {
      ...row,
      ours,
      theirs,
      owner: ownerOf(row.kind),
      whatToDo: whatToDo({ ...row, ours, theirs, detail }),
      firstSeenAt: new Date(row.firstSeenAt).toISOString(),
      lastSeenAt: new Date(row.lastSeenAt).toISOString(),
      resolvedAt: isoTime(row.resolvedAt),
    };
  });

const mostOpen = 1_000;
const mostResolved = 100;

/** Open ones first, the oldest first; then the last that were resolved. */
export async function listDifferences(db: Db): Promise<Difference[]> {
  const list = (isOpen: boolean) =>
    db.any(sql.type(differenceRow)`
      SELECT d.id, d.kind, d.provider, d.about, p.order_number AS "orderNumber", d.reference, d.ours_minor AS "oursMinor",
        d.theirs_minor AS "theirsMinor", d.currency, d.detail, d.first_seen_at AS "firstSeenAt", d.last_seen_at AS "lastSeenAt",
        d.resolved_at AS "resolvedAt"
      FROM reconciliation_differences d LEFT JOIN payments p ON p.id = d.payment_id
      WHERE (d.resolved_at IS NULL) = ${isOpen}
      ORDER BY ${isOpen ? sql.fragment`d.first_seen_at, d.id` : sql.fragment`d.resolved_at DESC, d.id`}
      LIMIT ${isOpen ? mostOpen : mostResolved}
    `);
  return [...(await list(true)), ...(await list(false))];
}

export function countOpenDifferences(db: Db): Promise<number> {
  return db.oneFirst(sql.type(z.object({ count: z.number() }))`
    SELECT count(*)::int AS count FROM reconciliation_differences WHERE resolved_at IS NULL
  `);
}
