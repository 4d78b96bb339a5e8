import type { DatabasePool } from 'slonik';
import { type GatewaySettings, openGateways } from '../payments/open-gateways.ts';
import { type PaymentDeps, paymentSettingsOf } from './payment-deps.ts';

type Surroundings<Log> = Pick<PaymentDeps, 'announce' | 'wakeRelay'> & { pool: DatabasePool; log: Log };

/** What operations on payments work with, and the gateways that are opened for it. */
export function openPayments<Log extends PaymentDeps['log']>(
  settings: GatewaySettings & Parameters<typeof paymentSettingsOf>[0],
  { pool, announce, wakeRelay, log }: Surroundings<Log>,
): { deps: PaymentDeps & { log: Log }; close(): void } {
  const { gateways, close } = openGateways(settings);
  return { deps: { pool, gateways, payments: paymentSettingsOf(settings), announce, wakeRelay, log }, close };
}
