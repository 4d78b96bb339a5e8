import type { Gauge } from 'prom-client';
import { readPaymentFigures } from '../db/payment-figures.ts';
import type { Database } from '../db/pool.ts';

/** Makes a gauge whose name begins as all of ours do. */
export type GaugeMaker = (name: string, help: string, ...labelNames: string[]) => Gauge;

/** Where the money is, and what somebody has to look at. */
export function measurePayments(gauge: GaugeMaker, { pool }: Database) {
  const payments = gauge('payments', 'Payments of the last three days by where their money is', 'provider', 'status');
  const unknown = gauge('payment_operations_unknown', 'What a provider was asked for and nobody has heard the end of');
  const unknownFor = gauge('payment_operations_unknown_oldest_seconds', 'How long ago the oldest of them was asked');
  const failing = gauge(
    'payment_looks_failing',
    'Payments whose last look failed: their provider is away or refuses, or they are stuck',
  );
  const ending = gauge('authorisations_ending', 'Holds that end within 24 hours');
  const nextEnd = gauge('authorisation_next_end_seconds', 'Until the next hold ends; absent where there is none');
  const events = gauge('webhook_events', 'Events of providers that are not handled yet', 'state');
  const eventLag = gauge('webhook_events_oldest_seconds', 'How long the oldest event waits that is not parked');
  const quarantined = gauge('quarantine_cases', 'What does not agree with the ledger and nobody has decided', 'kind');
  const differences = gauge('reconciliation_differences', 'Open differences to a provider’s books', 'provider', 'kind');
  const reconciled = gauge(
    'reconciliation_age_seconds',
    'Since the last comparison with a provider that ended well',
    'provider',
  );
  return {
    gauges: [
      payments,
      unknown,
      unknownFor,
      failing,
      ending,
      nextEnd,
      events,
      eventLag,
      quarantined,
      differences,
      reconciled,
    ],
    async fill() {
      const figures = await readPaymentFigures(pool);
      for (const { provider, status, count } of figures.payments) payments.set({ provider, status }, count);
      unknown.set(figures.unknownOperations.count);
      unknownFor.set(figures.unknownOperations.oldestSeconds);
      failing.set(figures.failingLooks);
      ending.set(figures.holds.endingSoon);
      if (figures.holds.nextEndSeconds !== null) nextEnd.set(figures.holds.nextEndSeconds);
      events.set({ state: 'waiting' }, figures.events.waiting);
      events.set({ state: 'parked' }, figures.events.parked);
      eventLag.set(figures.events.oldestSeconds);
      for (const { kind, count } of figures.quarantined) quarantined.set({ kind }, count);
      for (const { provider, kind, count } of figures.differences) differences.set({ provider, kind }, count);
      for (const { provider, ageSeconds } of figures.reconciled) reconciled.set({ provider }, ageSeconds);
    },
  };
}
