import { type PaymentDeps, paymentSettingsOf } from '../../src/operations/payment-deps.ts';
import { openGateways } from '../../src/payments/open-gateways.ts';
import type { RoleContext } from './role.ts';

/** What works on payments, with the gateways that it opens for it. */
export function openPayments({ config, database, announce, wakeRelay, log }: RoleContext) {
  const { gateways, close } = openGateways(config.payments);
  const deps: PaymentDeps & { log: RoleContext['log'] } = {
    pool: database.pool,
    gateways,
    payments: paymentSettingsOf(config.payments),
    announce,
    wakeRelay,
    log,
  };
  return { deps, close };
}
