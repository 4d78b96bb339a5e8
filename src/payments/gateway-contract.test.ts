import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type DeskPayment,
  dayMs,
  failureOf,
  openPaymentDesk,
  type PaymentDesk,
  price,
} from '../../test/support/payment-desk.ts';
import { paymentProviders } from '../domain/payment.ts';

/** What the engine relies on, at both providers alike. */
let desk: PaymentDesk;
beforeAll(async () => {
  desk = await openPaymentDesk();
});
afterAll(() => desk.close());

describe.each(paymentProviders)('a payment at %s', (provider) => {
  let payment: DeskPayment;
  beforeEach(() => {
    desk.sandbox.faults.clear();
    payment = desk.newPayment(provider);
  });

  it('begins with a checkout that the customer can go to', async () => {
    const { url, expiresAt } = await payment.open();
    expect(url).toMatch(/^http/);
    expect(+expiresAt).toBeGreaterThan(Date.now() + 3_600_000);
    expect(+expiresAt).toBeLessThanOrEqual(+payment.request.expiresAt);
    const nothingYet = { checkout: 'open', authorisation: null, capture: null, refunds: [], failure: null };
    expect(await payment.read()).toEqual(nothingYet);
  });

  it('has one checkout for one key', async () => {
    const { reference, url } = await payment.open();
    expect(await payment.open()).toMatchObject({ reference, url });
  });

  it('is held once the customer has paid, and taken once', async () => {
    const held = await payment.hold();
    expect(held).toMatchObject({ checkout: 'complete', authorisation: { status: 'held', amount: price } });
    expect(held.capture).toBeNull();
    expect(+(held.authorisation?.heldUntil ?? 0)).toBeGreaterThan(Date.now() + 6 * dayMs);
    await payment.capture();
    await payment.capture();
    expect(await payment.read()).toMatchObject({
      checkout: 'complete',
      authorisation: { status: 'captured', amount: price },
      capture: { status: 'done', amount: price },
      refunds: [],
      failure: null,
    });
    expect(payment.effects('authorised')).toHaveLength(1);
    expect(payment.effects('captured')).toMatchObject([{ ...price, reference: payment.references.capture }]);
  });

  it('is given back in parts, each once, until nothing is left', async () => {
    await payment.holdAndCapture();
    await payment.refund('first', 400);
    await payment.refund('first', 400);
    await payment.refund('second', 850);
    const { refunds, capture } = await payment.read();
    const done = refunds.map(({ operationId, status, amount }) => [operationId, status, amount.amountMinor]);
    expect(done.toSorted()).toEqual([
      [payment.key('first'), 'done', 400],
      [payment.key('second'), 'done', 850],
    ]);
    expect(capture).toMatchObject({ status: 'done', amount: price });
    expect((await failureOf(payment.refund('third', 100))).kind).toBe('wrong_state');
    expect(payment.effects('refunded').map(({ amountMinor }) => amountMinor)).toEqual([400, 850]);
  });

  it('is read with all its refunds, however many', async () => {
    await payment.holdAndCapture();
    for (let count = 0; count < 105; count++) await payment.refund(`refund-${count}`, 10);
    expect(new Set((await payment.read()).refunds.map(({ operationId }) => operationId)).size).toBe(105);
  });

  it('gives back no more than was taken', async () => {
    await payment.holdAndCapture();
    expect((await failureOf(payment.refund('all-and-more', 1251))).kind).toBe('wrong_state');
    expect(payment.effects('refunded')).toEqual([]);
  });

  it('shows a refund that takes its time, and one that fails', async () => {
    await payment.holdAndCapture();
    desk.sandbox.faults.add({ provider, operation: 'refund', kind: 'refund_pending' });
    await payment.refund('slow', 100);
    expect((await payment.read()).refunds).toMatchObject([{ operationId: payment.key('slow'), status: 'pending' }]);
    desk.sandbox.clock.advance(2 * dayMs);
    expect((await payment.read()).refunds).toMatchObject([{ status: 'done' }]);

    const another = desk.newPayment(provider);
    await another.holdAndCapture();
    desk.sandbox.faults.add({ provider, operation: 'refund', kind: 'refund_failed' });
    await another.refund('failing', 100).catch(() => {}); // at once or later
    desk.sandbox.clock.advance(2 * dayMs);
    const { refunds } = await another.read();
    expect(refunds.every(({ status }) => status === 'failed')).toBe(true);
    if (provider === 'stripe') expect(refunds).toHaveLength(1);
    expect(another.effects('refunded')).toEqual([]);
  });

  it('can be taken in part; the rest is let go, which is no refund', async () => {
    await payment.hold();
    await payment.capture({ amountMinor: 1000 });
    await payment.read();
    const { capture, refunds } = await payment.read();
    expect(capture).toMatchObject({ status: 'done', amount: { ...price, amountMinor: 1000 } });
    expect(refunds).toEqual([]);
  });

  it('can be let go, once, and is not taken then', async () => {
    await payment.hold();
    await payment.void();
    await payment.void();
    expect(await payment.read()).toMatchObject({ authorisation: { status: 'voided' }, capture: null, refunds: [] });
    expect((await failureOf(payment.capture())).kind).toBe('wrong_state');
    expect((await failureOf(payment.void('void-again'))).kind).toBe('wrong_state');
    expect(payment.effects('voided')).toHaveLength(1);
    expect(payment.effects('captured')).toEqual([]);
  });

  it('is not taken a second time by another key, nor let go once it is taken', async () => {
    await payment.holdAndCapture();
    expect((await failureOf(payment.capture({ step: 'capture-again' }))).kind).toBe('wrong_state');
    expect((await failureOf(payment.void())).kind).toBe('wrong_state');
    expect(payment.effects('captured')).toHaveLength(1);
    expect(payment.effects('voided')).toEqual([]);
  });

  it('is not taken beyond what is held', async () => {
    await payment.hold();
    expect((await failureOf(payment.capture({ amountMinor: 5_000 }))).kind).toBe('wrong_state');
    expect(payment.effects('captured')).toEqual([]);
  });

  it('is over when its hold is', async () => {
    await payment.hold();
    desk.sandbox.clock.advance(30 * dayMs);
    expect(await payment.read()).toMatchObject({ authorisation: { status: 'expired' }, capture: null, refunds: [] });
    expect((await failureOf(payment.capture())).kind).toBe('wrong_state');
    expect(payment.effects('expired')).toHaveLength(1);
    expect(payment.effects('captured')).toEqual([]);
  });

  it('is over when nobody has paid in time', async () => {
    await payment.open();
    desk.sandbox.clock.advance(dayMs);
    expect(await payment.read()).toMatchObject({
      checkout: provider === 'stripe' ? 'expired' : 'unknown',
      authorisation: null,
      capture: null,
    });
  });

  it('says so when the bank declines to pay what was held', async () => {
    await payment.hold();
    desk.sandbox.faults.add({ provider, operation: 'capture', kind: 'capture_declined' });
    expect((await failureOf(payment.capture())).kind).toBe('declined');
    expect(payment.effects('captured')).toEqual([]);
  });

  it('is not known when it is none', async () => {
    const references = { checkout: 'cs_unknown', authorisation: 'pi_unknown', capture: 'ch_unknown' };
    payment.references = { ...references };
    expect(await payment.read()).toMatchObject({ checkout: 'unknown', authorisation: null, capture: null });
    expect((await failureOf(payment.capture())).kind).toBe('not_found');
    expect((await failureOf(payment.void())).kind).toBe('not_found');
    expect((await failureOf(payment.refund('refund', 100))).kind).toBe('not_found');
  });

  it('refuses a key that came with something else', async () => {
    await payment.holdAndCapture();
    await payment.refund('refund', 100);
    const other = payment.gateway.refund(
      payment.references,
      { operationId: payment.key('refund'), amount: { ...price, amountMinor: 200 } },
      payment.key('refund'),
    );
    // PayPal answers as it did at first, whatever it is asked
    if (provider === 'stripe') expect((await failureOf(other)).kind).toBe('refused');
    else await other.catch(() => {});
    expect(payment.effects('refunded')).toMatchObject([{ amountMinor: 100 }]);
  });

  it('is refused before anybody is asked when there is no form for its amount', async () => {
    const dinars = { amountMinor: 1251, currency: 'KWD' };
    expect(payment.gateway.whyNotPayable(price)).toBeNull();
    expect(payment.gateway.whyNotPayable(dinars)).toMatch(/KWD/);
    const failure = await failureOf(desk.newPayment(provider, dinars).open());
    expect(failure).toMatchObject({ kind: 'refused', code: 'amount_not_payable' });
  });

  it.each(['JPY', 'HUF', 'TWD'])('is asked for and answered in the same minor unit in %s', async (currency) => {
    const amount = { amountMinor: 500_000, currency };
    const foreign = desk.newPayment(provider, amount);
    expect(await foreign.hold()).toMatchObject({ authorisation: { status: 'held', amount } });
    await foreign.capture();
    expect(await foreign.read()).toMatchObject({ capture: { amount } });
    expect(foreign.effects('captured')).toMatchObject([amount]);
  });
});

describe('where the providers differ', () => {
  it('Stripe asks the customer again after a decline, and ends a checkout when we ask', async () => {
    const payment = desk.newPayment('stripe');
    await payment.open();
    desk.sandbox.decline(payment.references.checkout);
    expect(await payment.read()).toEqual({
      checkout: 'open',
      authorisation: null,
      capture: null,
      refunds: [],
      failure: { code: 'card_declined', message: 'Your card was declined.' },
    });
    await payment.expire();
    await payment.expire();
    expect(await payment.read()).toMatchObject({ checkout: 'expired', authorisation: null });
    expect((await failureOf(payment.gateway.expireCheckout(payment.references, 'another-key'))).kind).toBe(
      'wrong_state',
    );
  });

  it('Stripe does not end a checkout that was paid', async () => {
    const payment = desk.newPayment('stripe');
    await payment.hold();
    expect((await failureOf(payment.expire())).kind).toBe('wrong_state');
    expect(await payment.read()).toMatchObject({ authorisation: { status: 'held' } });
  });

  it.each(['ISK', 'UGX', 'MGA', 'KWD'])('Stripe has a form of its own for %s', async (currency) => {
    const amount = { amountMinor: 10_000, currency };
    const payment = desk.newPayment('stripe', amount);
    expect(await payment.hold()).toMatchObject({ authorisation: { amount } });
    await payment.capture();
    await payment.read();
    await payment.refund('part', 1_000);
    expect(await payment.read()).toMatchObject({
      capture: { amount },
      refunds: [{ amount: { currency, amountMinor: 1_000 } }],
    });
    expect(payment.effects('captured')).toMatchObject([amount]);
  });

  it.each([
    ['sooner than Stripe can', 60_000, 30 * 60_000],
    ['later than Stripe can', 3 * dayMs, dayMs - 15 * 60_000],
  ])(
    'Stripe ends a checkout %s at the nearest time, which a repeat asks for, too',
    async (_case, wishedMs, nearestMs) => {
      const openedAt = Math.ceil(Date.now() / 3_600_000) * 3_600_000 + 100_000;
      vi.useFakeTimers({ toFake: ['Date'], now: openedAt });
      try {
        const payment = desk.newPayment('stripe');
        payment.request.expiresAt = new Date(openedAt + wishedMs);
        const { expiresAt, reference } = await payment.open();
        expect(+expiresAt - openedAt).toBeGreaterThanOrEqual(nearestMs);
        expect(+expiresAt - openedAt).toBeLessThanOrEqual(nearestMs + 15 * 60_000);
        vi.setSystemTime(openedAt + 5_000);
        expect((await payment.open()).reference).toBe(reference);
      } finally {
        vi.useRealTimers();
      }
    },
  );

  it('Stripe gives the same checkout again when less time is left than a new one needs', async () => {
    const payment = desk.newPayment('stripe');
    const openedAt = Date.now();
    payment.request.expiresAt = new Date(openedAt + 60 * 60_000);
    const first = await payment.open();
    vi.useFakeTimers({ toFake: ['Date'], now: openedAt + 45 * 60_000 });
    try {
      expect(await payment.open()).toEqual(first);
      const other = desk.newPayment('stripe');
      other.request.expiresAt = payment.request.expiresAt;
      expect(+(await other.open()).expiresAt).toBeGreaterThan(openedAt + 75 * 60_000);
    } finally {
      vi.useRealTimers();
    }
  });

  it('PayPal declines when the hold is taken, and ends no checkout', async () => {
    const payment = desk.newPayment('paypal');
    await payment.open();
    expect((await failureOf(payment.authorise())).kind).toBe('wrong_state'); // not approved yet
    desk.sandbox.decline(payment.references.checkout);
    expect((await failureOf(payment.authorise())).kind).toBe('declined');
    expect((await failureOf(payment.expire())).kind).toBe('refused');
    expect(payment.effects('authorised')).toEqual([]);
  });
});
