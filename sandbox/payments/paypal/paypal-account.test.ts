import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { OutcomeKind } from '../fault-script.ts';
import { SandboxLedger } from '../ledger.ts';
import { SandboxClock } from '../sandbox-clock.ts';
import { SandboxIds } from '../sandbox-ids.ts';
import { SandboxStore } from '../sandbox-store.ts';
import { dayMs, openAccount, paymentsOf } from './paypal-account.ts';
import { captureAuthorisation, expireIfDue, reauthorise, voidAuthorisation } from './paypal-authorisations.ts';
import { refundCapture, settleCaptureIfDue, settleRefundIfDue } from './paypal-captures.ts';
import { openObjects } from './paypal-objects.ts';
import { approveOrder, authoriseOrder, createOrder } from './paypal-orders.ts';
import { PayPalRefusal } from './paypal-refusal.ts';

const heldUnits = 1_000;
const outcomes: (OutcomeKind | null)[] = [
  null,
  'capture_declined',
  'capture_pending',
  'refund_pending',
  'refund_failed',
];

/** Null: all that is left. */
const amount = fc.option(fc.integer({ min: 1, max: heldUnits + 100 }));
const which = fc.nat({ max: 3 });
const step = fc.oneof(
  fc.record({
    do: fc.constant('capture' as const),
    which,
    amount,
    final: fc.boolean(),
    outcome: fc.constantFrom(...outcomes),
  }),
  fc.record({ do: fc.constant('refund' as const), which, amount, outcome: fc.constantFrom(...outcomes) }),
  fc.record({ do: fc.constant('void' as const), which }),
  fc.record({ do: fc.constant('reauthorise' as const), which, amount }),
  fc.record({ do: fc.constant('wait' as const), days: fc.integer({ min: 1, max: 20 }) }),
);

it('never takes more than is held nor gives back more than was taken, whatever is asked in whatever order', () => {
  let captured = 0;
  let refunded = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
      const store = new SandboxStore();
      const clock = new SandboxClock();
      const ledger = new SandboxLedger(store);
      const ids = new SandboxIds('a seed', store);
      let outcome: OutcomeKind | null = null;
      const account = openAccount({ clock, ids, ledger, baseUrl: () => '' }, openObjects(store), {
        announce: () => {},
        takeOutcome: () => outcome,
      });
      const euros = (units: number) => ({ currency_code: 'EUR', value: (units / 100).toFixed(2) });
      const asked = (units: number | null) => (units === null ? {} : { amount: euros(units) });
      const unit = { custom_id: 'p-1', amount: euros(heldUnits) };
      const order = createOrder(account, { intent: 'AUTHORIZE', purchase_units: [unit] });
      approveOrder(account, order.id, { declining: false });
      authoriseOrder(account, order.id);

      for (const each of steps) {
        const { authorisations, captures, refunds } = paymentsOf(account, order);
        const authorisation = 'which' in each ? (authorisations[each.which]?.id ?? '') : '';
        try {
          outcome = 'outcome' in each ? each.outcome : null;
          if (each.do === 'capture')
            captureAuthorisation(account, authorisation, { ...asked(each.amount), final_capture: each.final });
          else if (each.do === 'refund') refundCapture(account, captures[each.which]?.id ?? '', asked(each.amount));
          else if (each.do === 'void') voidAuthorisation(account, authorisation);
          else if (each.do === 'reauthorise') reauthorise(account, authorisation, asked(each.amount));
          else {
            clock.advance(each.days * dayMs);
            for (const held of authorisations) expireIfDue(account, held);
            for (const capture of captures) settleCaptureIfDue(account, capture);
            for (const refund of refunds) settleRefundIfDue(account, refund);
          }
        } catch (error) {
          if (!(error instanceof PayPalRefusal)) throw error;
        }
        const sumOf = (...kinds: string[]) =>
          ledger.entries().reduce((sum, { kind, amountMinor }) => sum + (kinds.includes(kind) ? amountMinor : 0), 0);
        expect(sumOf('captured', 'voided', 'expired')).toBeLessThanOrEqual(heldUnits);
        expect(sumOf('refunded')).toBeLessThanOrEqual(sumOf('captured'));
        expect(
          ledger.entries().filter(({ kind }) => kind === 'voided' || kind === 'expired').length,
        ).toBeLessThanOrEqual(1);
        expect(ledger.entries().every(({ amountMinor }) => amountMinor > 0)).toBe(true);
        captured += sumOf('captured');
        refunded += sumOf('refunded');
      }
    }),
    { numRuns: 500 },
  );
  expect([captured > 0, refunded > 0]).toEqual([true, true]); // or it would have shown nothing
});
