import { readConfig } from '../../src/config.ts';
import { openDatabase } from '../../src/db/pool.ts';
import { createLog } from '../../src/log.ts';
import { openPayments } from '../../src/operations/open-payments.ts';
import { reconcilePayments } from '../../src/operations/reconcile-payments.ts';
import { type OrderFacts, wasDeclined } from './order-facts.ts';
import type { StormScene } from './storm-scene.ts';

const hourMs = 3_600_000;

/** The engine's own comparison with the providers' books, as if by hand: what it finds though all is well, and whether it saw anything. */
export async function findDifferences(scene: StormScene, orders: readonly OrderFacts[]): Promise<string[]> {
  const config = readConfig(scene.environment);
  const log = createLog('fatal', 'storm');
  const database = await openDatabase(config.databaseUrl, log);
  const payments = openPayments(config.payments, { pool: database.pool, announce() {}, wakeRelay() {}, log });
  try {
    const reconciled = await reconcilePayments(payments.deps, {
      from: new Date(Date.now() - hourMs),
      to: new Date(),
    });
    const rows = await scene.database.query<{ kind: string; about: string; orderNumber: number; detail: string }>(
      `SELECT d.kind, d.about, d.detail, p.order_number::int AS "orderNumber"
       FROM reconciliation_differences d LEFT JOIN payments p ON p.id = d.payment_id WHERE d.resolved_at IS NULL`,
    );
    // What a provider declined by the script is a difference indeed: somebody has to see to it.
    const declined = new Set(
      orders
        .filter((facts) => wasDeclined(facts, 'capture') || wasDeclined(facts, 'refund'))
        .map(({ number }) => number),
    );
    const { movements = 0, failed = 0 } = reconciled?.counts ?? {};
    const moved = scene.sandbox.ledger
      .entries()
      .filter(({ kind }) => kind === 'captured' || kind === 'refunded').length;
    return [
      ...rows
        .filter(({ orderNumber }) => !declined.has(orderNumber))
        .map((row) => `the reconciliation found ${JSON.stringify(row)}`),
      ...(failed > 0 ? [`the reconciliation failed for ${failed} providers`] : []),
      ...(movements === moved ? [] : [`the reconciliation compared ${movements} movements of ${moved}`]),
    ];
  } finally {
    payments.close();
    await database.close();
  }
}
