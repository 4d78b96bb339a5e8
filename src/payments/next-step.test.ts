import { describe, expect, it } from 'vitest';
import { type OrderStatus, orderStatuses } from '../domain/order-status.ts';
import { nextPaymentStep, type PaymentFacts, type PaymentStep } from './next-step.ts';
import type { ProviderPayment } from './payment-gateway.ts';

const euros = (amountMinor: number) => ({ amountMinor, currency: 'EUR' });
const now = new Date('2026-06-01T12:00:00Z');
const inHours = (hours: number) => new Date(now.getTime() + hours * 3_600_000);

const looks = {
  nothing: null,
  open: seen({}),
  approved: seen({ checkout: 'approved' }),
  expired: seen({ checkout: 'expired' }),
  declined: seen({ checkout: 'expired', failure: { code: 'card_declined', message: 'No.' } }),
  undecided: seen({ checkout: 'complete', authorisation: hold('pending') }),
  held: seen({ checkout: 'complete', authorisation: hold('held') }),
  denied: seen({ checkout: 'complete', authorisation: hold('denied') }),
  voided: seen({ checkout: 'complete', authorisation: hold('voided') }),
  lapsed: seen({ checkout: 'complete', authorisation: hold('expired') }),
  capturing: seen({ checkout: 'complete', authorisation: hold('captured'), capture: capture('pending') }),
  captured: seen({ checkout: 'complete', authorisation: hold('captured'), capture: capture('done') }),
  refusedCapture: seen({ checkout: 'complete', authorisation: hold('captured'), capture: capture('declined') }),
  refunding: seen({ checkout: 'complete', capture: capture('done'), refunds: [refund('pending', 240)] }),
  partlyRefunded: seen({ checkout: 'complete', capture: capture('done'), refunds: [refund('done', 100)] }),
  refunded: seen({
    checkout: 'complete',
    capture: capture('done'),
    refunds: [refund('done', 100), refund('done', 140)],
  }),
} satisfies Record<string, ProviderPayment | null>;
type Look = keyof typeof looks;

/** What each status of the order wants of each state of the money. */
const table: Record<'awaiting_payment' | 'complete' | 'cancelled' | 'under way', Record<Look, string>> = {
  awaiting_payment: {
    nothing: 'ask checkout 240',
    open: 'wait',
    approved: 'ask authorise 240',
    expired: 'give up: payment_expired',
    declined: 'give up: payment_declined',
    undecided: 'wait',
    held: 'release_order',
    denied: 'give up: payment_declined',
    voided: 'cancel: authorisation_lost',
    lapsed: 'cancel: authorisation_lost',
    capturing: 'release_order',
    captured: 'release_order',
    refusedCapture: 'release_order',
    refunding: 'release_order',
    partlyRefunded: 'release_order',
    refunded: 'cancel: payment_refunded',
  },
  'under way': {
    nothing: 'stuck: checkout_unknown',
    open: 'wait',
    approved: 'wait',
    expired: 'wait',
    declined: 'wait',
    undecided: 'wait',
    held: 'wait',
    denied: 'cancel: authorisation_lost',
    voided: 'cancel: authorisation_lost',
    lapsed: 'cancel: authorisation_lost',
    capturing: 'wait',
    captured: 'wait for nothing',
    refusedCapture: 'wait',
    refunding: 'wait for nothing',
    partlyRefunded: 'wait for nothing',
    refunded: 'cancel: payment_refunded',
  },
  complete: {
    nothing: 'stuck: checkout_unknown',
    open: 'wait',
    approved: 'wait',
    expired: 'wait',
    declined: 'wait',
    undecided: 'wait',
    held: 'ask capture 240',
    denied: 'stuck: authorisation_lost',
    voided: 'stuck: authorisation_lost',
    lapsed: 'stuck: authorisation_lost',
    capturing: 'wait',
    captured: 'wait for nothing',
    refusedCapture: 'stuck: capture_declined',
    refunding: 'wait for nothing',
    partlyRefunded: 'wait for nothing',
    refunded: 'wait for nothing',
  },
  cancelled: {
    nothing: 'give up: payment_expired',
    open: 'ask expire 240',
    approved: 'give up: payment_expired',
    expired: 'give up: payment_expired',
    declined: 'give up: payment_expired',
    undecided: 'ask void 240',
    held: 'ask void 240',
    denied: 'wait for nothing',
    voided: 'wait for nothing',
    lapsed: 'wait for nothing',
    capturing: 'wait',
    captured: 'ask refund 240',
    refusedCapture: 'wait',
    refunding: 'wait',
    partlyRefunded: 'ask refund 140',
    refunded: 'wait for nothing',
  },
};

describe('the next step of a payment', () => {
  const rows = orderStatuses.flatMap((status) => {
    const row = status === 'pending' || status === 'processing' || status === 'failed' ? 'under way' : status;
    return Object.entries(table[row]).map(([look, step]) => [status, look as Look, step] as const);
  });
  it.each(rows)('of an order that is %s, with its money %s: %s', (orderStatus, look, expected) => {
    expect(say(nextPaymentStep(facts({ orderStatus, seen: looks[look] })))).toBe(expected);
  });

  it('never takes money for an order that is not complete, nor gives it to one that is', () => {
    for (const [status, look] of rows) {
      const step = nextPaymentStep(facts({ orderStatus: status, seen: looks[look] }));
      if (step.kind !== 'ask') continue;
      if (step.operation === 'capture') expect(status).toBe('complete');
      if (step.operation === 'void' || step.operation === 'expire') expect(status).toBe('cancelled');
    }
  });

  it('gives nothing up for what the provider does not know, while it should', () => {
    const unknown = seen({ checkout: 'unknown' });
    for (const orderStatus of orderStatuses) {
      expect(say(nextPaymentStep(facts({ orderStatus, seen: unknown })))).toBe('stuck: payment_unknown_at_provider');
      const late = { orderStatus, seen: unknown, checkoutExpiresAt: inHours(-1) };
      expect(say(nextPaymentStep(facts({ ...late, hasHold: true })))).toBe('stuck: payment_unknown_at_provider');
    }
    const over = { seen: unknown, checkoutExpiresAt: inHours(-1) };
    expect(say(nextPaymentStep(facts(over)))).toBe('give up: payment_expired');
    expect(say(nextPaymentStep(facts({ ...over, orderStatus: 'cancelled' })))).toBe('give up: payment_expired');
  });

  it('waits for a manager before an order goes on whose amount does not agree', () => {
    for (const seenNow of Object.values(looks))
      expect(say(nextPaymentStep(facts({ seen: seenNow, isQuarantined: true })))).toBe('wait');
    const cancelled = facts({ orderStatus: 'cancelled', seen: looks.held, isQuarantined: true });
    expect(say(nextPaymentStep(cancelled))).toBe('ask void 240');
  });

  it('opens a checkout that is over once more, when the customer is there', () => {
    expect(say(nextPaymentStep(facts({ seen: looks.expired, wantsCheckout: true })))).toBe('ask checkout 240');
    expect(say(nextPaymentStep(facts({ seen: looks.open, wantsCheckout: true })))).toBe('wait');
  });

  it('ends a checkout whose time is over, where that can be', () => {
    const late = { seen: looks.open, checkoutExpiresAt: inHours(-1) };
    expect(say(nextPaymentStep(facts(late)))).toBe('ask expire 240');
    const abilities = { canExpireCheckout: false, canReauthorise: true };
    expect(say(nextPaymentStep(facts({ ...late, abilities })))).toBe('give up: payment_expired');
    expect(say(nextPaymentStep(facts({ ...late, abilities, wantsCheckout: true })))).toBe('ask checkout 240');
    expect(say(nextPaymentStep(facts({ seen: null, createdAt: inHours(-25) })))).toBe('give up: payment_expired');
  });

  it('carries refunds out one after the other, and the rest of a cancelled order after them', () => {
    const due = { seen: looks.partlyRefunded, dueRefund: euros(30) };
    for (const orderStatus of ['complete', 'pending', 'cancelled'] as const)
      expect(say(nextPaymentStep(facts({ ...due, orderStatus })))).toBe('ask refund 30');
    expect(say(nextPaymentStep(facts({ orderStatus: 'complete', seen: looks.held, dueRefund: euros(30) })))).toBe(
      'ask capture 240',
    );
  });

  it.each<[OrderStatus, Look, PaymentFacts['refused'], string]>([
    ['awaiting_payment', 'nothing', new Set(['checkout']), 'give up: payment_refused'],
    ['awaiting_payment', 'approved', new Set(['authorise']), 'give up: payment_declined'],
    ['complete', 'held', new Set(['capture']), 'stuck: capture_refused'],
    ['cancelled', 'held', new Set(['void']), 'stuck: void_refused'],
    ['cancelled', 'captured', new Set(['refund']), 'stuck: refund_refused'],
    ['cancelled', 'held', new Set(['capture']), 'ask void 240'],
  ])('of an order that is %s does not ask again for what was refused (%s)', (orderStatus, look, refused, expected) => {
    expect(say(nextPaymentStep(facts({ orderStatus, seen: looks[look], refused })))).toBe(expected);
  });

  it('tries a declined capture again when somebody wants it, as long as there is a hold', () => {
    const declined = seen({ authorisation: hold('held'), capture: capture('declined') });
    const again = (more: Partial<PaymentFacts>) => say(nextPaymentStep(facts({ orderStatus: 'complete', ...more })));
    expect(again({ seen: declined })).toBe('stuck: capture_declined');
    expect(again({ seen: declined, isRetriedByHand: true })).toBe('ask capture 240');
    expect(again({ seen: looks.refusedCapture, isRetriedByHand: true })).toBe('stuck: capture_declined');
  });

  describe('near the end of a hold', () => {
    const ending = (hours: number, honouredHours: number | null = null) =>
      seen({
        checkout: 'complete',
        authorisation: {
          ...hold('held'),
          heldUntil: inHours(hours),
          honouredUntil: honouredHours === null ? null : inHours(honouredHours),
        },
      });
    it.each<[PaymentFacts['policy'], number, number | null, Partial<PaymentFacts>, string]>([
      ['capture_early', 13, null, {}, 'wait'],
      ['capture_early', 11, null, {}, 'ask capture 240'],
      ['capture_early', 600, 11, {}, 'ask capture 240'],
      ['capture_early', 11, null, { orderStatus: 'failed' }, 'cancel: authorisation_lost'],
      ['capture_early', 11, null, { refused: new Set(['capture']) }, 'cancel: authorisation_lost'],
      ['void_and_cancel', 13, null, {}, 'wait'],
      ['void_and_cancel', 11, null, {}, 'cancel: authorisation_lost'],
      ['reauthorise', 600, -23, {}, 'wait'],
      ['reauthorise', 600, -25, {}, 'ask reauthorise 240'],
      ['reauthorise', 600, -25, { hasReauthorised: true }, 'ask capture 240'],
      ['reauthorise', 600, -25, { refused: new Set(['reauthorise']) }, 'ask capture 240'],
      ['reauthorise', 11, null, { abilities: { canExpireCheckout: true, canReauthorise: false } }, 'ask capture 240'],
    ])('%s, %s h before (honoured for %s h)', (policy, hours, honouredHours, more, expected) => {
      expect(
        say(nextPaymentStep(facts({ orderStatus: 'processing', policy, seen: ending(hours, honouredHours), ...more }))),
      ).toBe(expected);
    });
  });
});

function facts(more: Partial<PaymentFacts>): PaymentFacts {
  return {
    orderStatus: 'awaiting_payment',
    amount: euros(240),
    createdAt: inHours(-0.1),
    checkoutExpiresAt: inHours(1),
    seen: null,
    isQuarantined: false,
    wantsCheckout: false,
    hasReauthorised: false,
    dueRefund: null,
    refused: new Set(),
    isRetriedByHand: false,
    hasHold: false,
    abilities: { canExpireCheckout: true, canReauthorise: true },
    policy: 'capture_early',
    marginMs: 12 * 3_600_000,
    now,
    ...more,
  };
}

function seen(more: Partial<ProviderPayment>): ProviderPayment {
  return { checkout: 'open', authorisation: null, capture: null, refunds: [], failure: null, ...more };
}

function hold(status: NonNullable<ProviderPayment['authorisation']>['status']) {
  return { reference: 'pi_1', status, amount: euros(240), heldUntil: inHours(100), honouredUntil: null };
}

function capture(status: NonNullable<ProviderPayment['capture']>['status']) {
  return { reference: 'ch_1', status, amount: euros(240) };
}

function refund(status: ProviderPayment['refunds'][number]['status'], amountMinor: number) {
  return { reference: 're_1', operationId: null, status, amount: euros(amountMinor) };
}

function say(step: PaymentStep): string {
  switch (step.kind) {
    case 'ask':
      return `ask ${step.operation} ${step.amount.amountMinor}`;
    case 'give_up':
      return `give up: ${step.reason}`;
    case 'cancel_order':
      return `cancel: ${step.reason}`;
    case 'stuck':
      return `stuck: ${step.reason}`;
    case 'wait':
      return step.until === null ? 'wait for nothing' : 'wait';
    case 'release_order':
      return step.kind;
  }
}
