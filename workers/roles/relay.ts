import { openPayments } from '../../src/operations/open-payments.ts';
import { startHousekeeping } from '../housekeeping.ts';
import { OutboxRelay } from '../outbox-relay.ts';
import { closeAll, type StartRole } from './role.ts';

/** Hands the outbox over, rebuilds what was lost, and does what is done by the clock. */
export const start: StartRole = async (context) => {
  const { config, database, openStore, announce, log } = context;
  const maxAttempts = config.orderMaxAttempts;
  const relay = new OutboxRelay({ database, store: openStore('producer', 3), announce, maxAttempts, log });
  relay.start();
  const payments = openPayments(context.config.payments, { ...context, pool: context.database.pool });
  const { reconciliationCron } = config.payments;
  try {
    const housekeeping = await startHousekeeping({
      ...payments.deps,
      store: openStore('worker', 4),
      reconciliationCron,
    });
    return closeAll(payments, relay, housekeeping);
  } catch (error) {
    await closeAll(payments, relay).close();
    throw error;
  }
};
