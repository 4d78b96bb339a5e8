import { openDatabase } from '../../src/db/pool.ts';
import { createLog } from '../../src/log.ts';
import { type PaymentDeps, paymentSettingsOf } from '../../src/operations/payment-deps.ts';
import { openGateways } from '../../src/payments/open-gateways.ts';
import type { Engine } from './engine.ts';

/** To look at payments without a worker, at moments that the test decides. */
export async function openSettling({ config }: Engine): Promise<PaymentDeps & { close(): Promise<void> }> {
  const log = createLog('silent', 'test');
  const database = await openDatabase(config.databaseUrl, log);
  const { gateways, close } = openGateways(config.payments);
  return {
    pool: database.pool,
    gateways,
    payments: paymentSettingsOf(config.payments),
    announce: () => {},
    wakeRelay: () => {},
    log,
    async close() {
      close();
      await database.close();
    },
  };
}
