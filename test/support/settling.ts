import { openDatabase } from '../../src/db/pool.ts';
import { createLog } from '../../src/log.ts';
import { openPayments } from '../../src/operations/open-payments.ts';
import type { PaymentDeps } from '../../src/operations/payment-deps.ts';
import type { Engine } from './engine.ts';

/** To look at payments without a worker, at moments that the test decides. */
export async function openSettling({ config }: Engine): Promise<PaymentDeps & { close(): Promise<void> }> {
  const log = createLog('silent', 'test');
  const database = await openDatabase(config.databaseUrl, log);
  const payments = openPayments(config.payments, { pool: database.pool, announce() {}, wakeRelay() {}, log });
  return {
    ...payments.deps,
    async close() {
      payments.close();
      await database.close();
    },
  };
}
