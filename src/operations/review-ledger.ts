import { listOverduePayments, listParkedEvents } from '../db/overdue-payments.ts';
import { type FoundDifference, resolveLedgerDifferences } from '../db/reconciliation.ts';
import type { ReconciliationRunWork } from './reconciliation-run.ts';

/** More than anybody can act on; what is beyond comes up when these are settled. */
const mostAtOnce = 5_000;
const looksAtOnce = 3;

/**
 * Finds what should have happened by now, by our own ledger: it needs no provider, so it is found also while one is away. Where the
 * provider is there, it is tried once more first.
 */
export async function reviewLedger(run: ReconciliationRunWork): Promise<void> {
  const { pool } = run.deps;
  const overdue = await listOverduePayments(pool, run.provider, null, mostAtOnce);
  const byPayment = Map.groupBy(overdue, ({ paymentId }) => paymentId ?? '');
  const payments = [...byPayment];
  for (let start = 0; start < payments.length; start += looksAtOnce) {
    const page = payments.slice(start, start + looksAtOnce);
    const found = await Promise.all(page.map(([paymentId, before]) => lookAndFind(run, paymentId, before)));
    for (const difference of found.flat()) await run.write(difference);
  }
  const parked = await listParkedEvents(pool, run.provider, mostAtOnce);
  for (const difference of parked) await run.write(difference);
  const isWhole = overdue.length < mostAtOnce && parked.length < mostAtOnce;
  if (isWhole) run.counts.resolved += await resolveLedgerDifferences(pool, run);
}

async function lookAndFind(
  run: ReconciliationRunWork,
  paymentId: string,
  before: readonly FoundDifference[],
): Promise<readonly FoundDifference[]> {
  if (!run.isProviderThere || (await run.lookAgain(paymentId)) === 'failed') return before;
  return listOverduePayments(run.deps.pool, run.provider, [paymentId], mostAtOnce);
}
