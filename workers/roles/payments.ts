import { openPayments } from '../../src/operations/open-payments.ts';
import { startPaymentWorkers } from '../payments.ts';
import { closeAll, type StartRole } from './role.ts';

export const start: StartRole = async (context) => {
  const payments = openPayments(context.config.payments, { ...context, pool: context.database.pool });
  return closeAll(payments, startPaymentWorkers({ ...payments.deps, store: context.openStore('worker', 8) }));
};
