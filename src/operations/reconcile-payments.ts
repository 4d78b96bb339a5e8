import { recordAudit } from '../db/audit-events.ts';
import {
  countOpenDifferences,
  endInterruptedRuns,
  endReconciliationRun,
  findReconciliationHistory,
  hasLivePaymentsOf,
  insertReconciliationRun,
  type RunCounts,
  withReconciliationLock,
} from '../db/reconciliation.ts';
import type { Db } from '../db/sql.ts';
import type { AuditActor } from '../domain/audit.ts';
import { type PaymentProvider, paymentProviders } from '../domain/payment.ts';
import { type ComparedTime, usualTime } from '../domain/reconciliation.ts';
import { compareBooks } from './compare-books.ts';
import type { PaymentDeps } from './payment-deps.ts';
import { ReconciliationRunWork } from './reconciliation-run.ts';
import { reviewLedger } from './review-ledger.ts';

export interface ReconcileRequest {
  from?: Date | undefined;
  to?: Date | undefined;
  /** Who asked for it; nobody where it is done by the clock. */
  by?: { actor: AuditActor; address: string };
}

export interface Reconciled {
  /** Over both providers. */
  counts: RunCounts & { open: number; failed: number };
}

/** How late money shows in a provider's books: at PayPal up to 3 hours. */
const lagMs: Record<PaymentProvider, number> = { stripe: 15 * 60_000, paypal: 4 * 3_600_000 };

/**
 * Compares the ledger with the books of each provider over a time, and looks for what should have happened by now. For each provider:
 *
 * 1. What our own ledger shows (`reviewLedger`): money that is due to move and has not.
 * 2. The provider's books (`compareBooks`), line by line into a temporary table, and beside them the ledger.
 * 3. Before a difference is written, its payment is looked at once more: what was only behind mends itself.
 * 4. What was open and is no longer found is resolved, as far as this comparison could have found it.
 *
 * A provider that cannot be had ends its own run, which keeps what was found until then. One at a time: null while another is at it.
 */
export async function reconcilePayments(deps: PaymentDeps, request: ReconcileRequest = {}): Promise<Reconciled | null> {
  const { pool, log } = deps;
  const reconciled = await pool.connect((connection) =>
    withReconciliationLock(connection, async () => {
      await endInterruptedRuns(connection);
      const counts = { movements: 0, ofOthers: 0, compared: 0, lookedAt: 0, found: 0, resolved: 0, failed: 0 };
      for (const provider of paymentProviders) {
        if (!deps.gateways[provider] && !(await hasLivePaymentsOf(connection, provider))) continue;
        const run = await reconcileProvider(deps, connection, provider, await timeFor(connection, provider, request));
        for (const name of Object.keys(run.counts) as (keyof RunCounts)[]) counts[name] += run.counts[name];
        if (run.failure !== null) counts.failed += 1;
      }
      return { counts: { ...counts, open: await countOpenDifferences(connection) } };
    }),
  );
  if (reconciled && request.by)
    await recordAudit(pool, {
      action: 'payments_reconciled',
      subject: null,
      detail: {
        from: request.from?.toISOString() ?? null,
        to: request.to?.toISOString() ?? null,
        found: reconciled.counts.found,
        failed: reconciled.counts.failed,
      },
      ...request.by,
    });
  if (reconciled) log.info(reconciled.counts, 'payments reconciled');
  return reconciled;
}

async function timeFor(db: Db, provider: PaymentProvider, { from, to }: ReconcileRequest): Promise<ComparedTime> {
  const now = new Date();
  const history = from ? { lastGoodTo: null, oldestOpen: null } : await findReconciliationHistory(db, provider);
  const usual = usualTime({ now: to ?? now, lagMs: to ? 0 : lagMs[provider], ...history });
  if (!from) return usual;
  // Whoever asks for the last hour gets it, though the books may not be complete: what they lack just now is no difference.
  return { from, to: from < usual.to ? usual.to : now };
}

async function reconcileProvider(
  deps: PaymentDeps,
  connection: Db,
  provider: PaymentProvider,
  time: ComparedTime,
): Promise<{ counts: RunCounts; failure: string | null }> {
  const runId = await insertReconciliationRun(deps.pool, provider, time);
  const run = new ReconciliationRunWork(deps, { id: runId, provider, time });
  let failure: string | null = null;
  try {
    await reviewLedger(run);
    await compareBooks(run, connection);
    if (run.undecided > 0) failure = `payments that could not be looked at: ${run.undecided}`;
  } catch (error) {
    failure = (error as Error).message;
    deps.log.warn({ provider, error: failure }, 'reconciliation failed');
  }
  await run.saveCounts();
  await endReconciliationRun(deps.pool, runId, failure);
  return { counts: run.counts, failure };
}
