import { startPaymentWorkers } from '../payments.ts';
import { openPayments } from './open-payments.ts';
import { closeAll, type StartRole } from './role.ts';

export const start: StartRole = async (context) => {
  const payments = openPayments(context);
  return closeAll(payments, startPaymentWorkers({ ...payments.deps, store: context.openStore('worker', 8) }));
};
