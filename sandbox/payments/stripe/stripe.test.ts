import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PaymentSandbox, startPaymentSandbox } from '../payment-sandbox.ts';
import { openStripeShop, type StripeShop } from './stripe-shop.ts';

const dayMs = 24 * 3600 * 1000;

let sandbox: PaymentSandbox;
let shop: StripeShop;
beforeAll(async () => {
  sandbox = await startPaymentSandbox({ seed: 'stripe' });
  shop = openStripeShop(sandbox);
});
afterAll(() => sandbox.close());

const entriesOf = (intent: { metadata: Record<string, string> }) =>
  sandbox.ledger
    .entries({ paymentId: intent.metadata.paymentId ?? '' })
    .map(({ kind, amountMinor, currency }) => `${kind} ${amountMinor} ${currency}`);
const eventsOf = (orderNumber: string | undefined) =>
  sandbox.webhooks
    .events('stripe')
    .filter((event) => event.orderNumber === Number(orderNumber))
    .map(({ type }) => type);

describe('a checkout session', () => {
  it('is open, and has no intent before the customer tries to pay', async () => {
    const session = await shop.checkout();
    expect(session).toMatchObject({
      object: 'checkout.session',
      status: 'open',
      payment_status: 'unpaid',
      payment_intent: null,
      amount_total: 1250,
      currency: 'eur',
    });
    expect(session.url).toBe(`${sandbox.url}/sandbox/checkout/stripe/${session.id}`);
  });

  it('is complete and unpaid with a hold for a week once the customer has paid', async () => {
    const intent = await shop.hold();
    expect(intent).toMatchObject({ status: 'requires_capture', amount_capturable: 1250, amount_received: 0 });
    const charge = typeof intent.latest_charge === 'string' ? null : intent.latest_charge;
    expect(charge).toMatchObject({ captured: false, paid: true, status: 'succeeded' });
    expect(charge?.payment_method_details?.card?.capture_before).toBe((charge?.created ?? 0) + (7 * dayMs) / 1000);
    expect(entriesOf(intent)).toEqual(['authorised 1250 EUR']);
    expect(eventsOf(intent.metadata.orderNumber)).toEqual([
      'payment_intent.created',
      'charge.succeeded',
      'payment_intent.amount_capturable_updated',
      'checkout.session.completed',
    ]);
  });

  it('stays open with the reason after a decline, and can still be paid', async () => {
    const { id } = await shop.checkout();
    sandbox.decline(id);
    expect(await shop.intentOf(id)).toMatchObject({
      status: 'requires_payment_method',
      last_payment_error: { code: 'card_declined', decline_code: 'generic_decline' },
      latest_charge: { status: 'failed' },
    });
    expect((await shop.stripe.checkout.sessions.retrieve(id)).status).toBe('open');
    sandbox.pay(id);
    expect(await shop.intentOf(id)).toMatchObject({ status: 'requires_capture', last_payment_error: null });
  });

  it('can be expired while it is open, and takes its unpaid intent with it', async () => {
    const { id } = await shop.checkout();
    sandbox.decline(id);
    const expired = await shop.stripe.checkout.sessions.expire(id);
    expect(expired).toMatchObject({ status: 'expired', url: null });
    expect(await shop.intentOf(id)).toMatchObject({ status: 'canceled', cancellation_reason: 'expired' });
    expect(() => sandbox.pay(id)).toThrow(/expired/);
    await expect(shop.stripe.checkout.sessions.expire(id)).rejects.toMatchObject({
      type: 'StripeInvalidRequestError',
      statusCode: 400,
      message: expect.stringContaining('status of `expired`'),
    });
  });

  it('cannot be expired once it is paid', async () => {
    const { id } = await shop.checkout();
    sandbox.pay(id);
    await expect(shop.stripe.checkout.sessions.expire(id)).rejects.toMatchObject({ statusCode: 400 });
  });

  it.each([29 * 60, 24 * 3600 + 60])('is refused when it is to last %i seconds', async (expiresInS) => {
    await expect(shop.checkout({ expiresInS })).rejects.toMatchObject({ statusCode: 400, param: 'expires_at' });
  });

  it('refuses payment_method_types, which this version of the API no longer knows', async () => {
    const wanted = { mode: 'payment', success_url: 'http://shop.test/', payment_method_types: ['card'] } as const;
    await expect(shop.stripe.checkout.sessions.create(wanted)).rejects.toMatchObject({ statusCode: 400 });
    const line_items = [
      { quantity: 1, price_data: { currency: 'eur', unit_amount: 500, product_data: { name: 'x' } } },
    ];
    await expect(shop.stripe.checkout.sessions.create({ ...wanted, line_items })).rejects.toMatchObject({
      code: 'parameter_unknown',
      param: 'payment_method_types',
    });
  });

  it.each([
    ['isk', 12_345, 'invalid_charge_amount_no_decimal_compatible'],
    ['kwd', 1_234_5, 'invalid_charge_amount_three_decimal'],
    ['eur', 49, 'amount_too_small'],
  ])('refuses %s %i', async (currency, amount, code) => {
    await expect(shop.checkout({ currency, amount })).rejects.toMatchObject({ statusCode: 400, code });
  });

  it.each([
    ['isk', 12_300, 'authorised 123 ISK'],
    ['jpy', 1_250, 'authorised 1250 JPY'],
    ['mga', 50, 'authorised 5000 MGA'],
    ['kwd', 12_340, 'authorised 12340 KWD'],
  ])('books %s %i in minor units of ISO 4217', async (currency, amount, entry) => {
    expect(entriesOf(await shop.hold({ currency, amount }))).toEqual([entry]);
  });
});

describe('a hold', () => {
  it('is captured once', async () => {
    const intent = await shop.hold();
    const captured = await shop.stripe.paymentIntents.capture(intent.id, { amount_to_capture: 1250 });
    expect(captured).toMatchObject({ status: 'succeeded', amount_capturable: 0, amount_received: 1250 });
    await expect(shop.stripe.paymentIntents.capture(intent.id)).rejects.toMatchObject({
      statusCode: 400,
      code: 'payment_intent_unexpected_state',
      payment_intent: { id: intent.id, status: 'succeeded' },
    });
    expect(entriesOf(intent)).toEqual(['authorised 1250 EUR', 'captured 1250 EUR']);
  });

  it('is not captured for more than it holds', async () => {
    const intent = await shop.hold();
    await expect(shop.stripe.paymentIntents.capture(intent.id, { amount_to_capture: 1251 })).rejects.toMatchObject({
      statusCode: 400,
      code: 'amount_too_large',
    });
    expect(entriesOf(intent)).toEqual(['authorised 1250 EUR']);
  });

  it('gives back what a capture leaves, so that only the rest can be refunded', async () => {
    const intent = await shop.hold();
    await shop.stripe.paymentIntents.capture(intent.id, { amount_to_capture: 1000 });
    await expect(shop.stripe.refunds.create({ payment_intent: intent.id, amount: 1001 })).rejects.toMatchObject({
      statusCode: 400,
    });
    await shop.stripe.refunds.create({ payment_intent: intent.id });
    expect(entriesOf(intent)).toEqual(['authorised 1250 EUR', 'captured 1000 EUR', 'refunded 1000 EUR']);
  });

  it('is let go by a cancel, which shows as a refund of what was never captured', async () => {
    const intent = await shop.hold();
    const canceled = await shop.stripe.paymentIntents.cancel(intent.id, {}, { idempotencyKey: `void ${intent.id}` });
    expect(canceled).toMatchObject({ status: 'canceled', amount_capturable: 0, cancellation_reason: null });
    expect(await shop.stripe.charges.retrieve(String(canceled.latest_charge))).toMatchObject({
      captured: false,
      refunded: true,
    });
    expect(entriesOf(intent)).toEqual(['authorised 1250 EUR', 'voided 1250 EUR']);
    await expect(shop.stripe.paymentIntents.capture(intent.id)).rejects.toMatchObject({
      code: 'payment_intent_unexpected_state',
    });
  });

  it('cannot be let go where there is none: the session is to be expired', async () => {
    const { id } = await shop.checkout();
    sandbox.decline(id);
    const intent = await shop.intentOf(id);
    await expect(shop.stripe.paymentIntents.cancel(intent.id)).rejects.toMatchObject({
      code: 'payment_intent_unexpected_state',
    });
  });
});

describe('a refund', () => {
  it('is given in parts, never more than what was taken', async () => {
    const intent = await shop.hold();
    await shop.stripe.paymentIntents.capture(intent.id);
    const refund = (amount?: number) =>
      shop.stripe.refunds.create({
        payment_intent: intent.id,
        ...(amount !== undefined && { amount }),
        metadata: { operationId: `refund ${amount}` },
      });
    expect(await refund(250)).toMatchObject({ status: 'succeeded', amount: 250, payment_intent: intent.id });
    expect(await refund(250)).toMatchObject({ amount: 250 });
    await expect(refund(751)).rejects.toMatchObject({ statusCode: 400, param: 'amount' });
    expect(await refund()).toMatchObject({ amount: 750 });
    await expect(refund()).rejects.toMatchObject({ code: 'charge_already_refunded' });
    const { data } = await shop.stripe.refunds.list({ payment_intent: intent.id });
    expect(data.map(({ amount, metadata }) => [amount, metadata?.operationId])).toEqual([
      [750, 'refund undefined'],
      [250, 'refund 250'],
      [250, 'refund 250'],
    ]);
  });

  it('is refused of a hold, and of what nobody knows', async () => {
    const intent = await shop.hold();
    await expect(shop.stripe.refunds.create({ payment_intent: intent.id })).rejects.toMatchObject({ statusCode: 400 });
    await expect(shop.stripe.refunds.create({ payment_intent: 'pi_none' })).rejects.toMatchObject({
      statusCode: 404,
      code: 'resource_missing',
    });
  });

  it('may be pending first and fail later, and then nothing was given back', async () => {
    const intent = await shop.hold();
    await shop.stripe.paymentIntents.capture(intent.id);
    const orderNumber = Number(intent.metadata.orderNumber);
    sandbox.faults.add({ operation: 'refund', kind: 'refund_failed', orderNumber });
    const refund = await shop.stripe.refunds.create({ payment_intent: intent.id });
    expect(refund.status).toBe('pending');
    sandbox.clock.advance(2 * dayMs);
    expect(await shop.stripe.refunds.retrieve(refund.id)).toMatchObject({ status: 'failed' });
    expect(await shop.stripe.charges.retrieve(String(refund.charge))).toMatchObject({ amount_refunded: 0 });
    expect(entriesOf(intent)).toEqual(['authorised 1250 EUR', 'captured 1250 EUR']);
  });
});

describe('a clock that moves', () => {
  it('expires sessions, with their events', async () => {
    const session = await shop.checkout({ expiresInS: 1800 });
    sandbox.clock.advance(29 * 60_000);
    expect((await shop.stripe.checkout.sessions.retrieve(session.id)).status).toBe('open');
    sandbox.clock.advance(2 * 60_000);
    expect(eventsOf(session.metadata?.orderNumber)).toEqual(['checkout.session.expired']);
    expect((await shop.stripe.checkout.sessions.retrieve(session.id)).status).toBe('expired');
  });

  it('ends holds, with their events and in the ledger', async () => {
    const intent = await shop.hold();
    sandbox.clock.advance(6 * dayMs);
    const older = await shop.stripe.paymentIntents.retrieve(intent.id, { expand: ['latest_charge'] });
    const charge = typeof older.latest_charge === 'string' ? null : older.latest_charge;
    // who talks to the sandbox has stayed where it was: so the end has come nearer to it
    const left = (charge?.payment_method_details?.card?.capture_before ?? 0) - Date.now() / 1000;
    expect(left).toBeGreaterThan(86_400 - 30);
    expect(left).toBeLessThanOrEqual(86_400);
    sandbox.clock.advance(dayMs);
    expect(await shop.stripe.paymentIntents.retrieve(intent.id)).toMatchObject({
      status: 'canceled',
      cancellation_reason: 'automatic',
    });
    expect(eventsOf(intent.metadata.orderNumber).slice(-2)).toEqual(['charge.expired', 'payment_intent.canceled']);
    expect(entriesOf(intent)).toEqual(['authorised 1250 EUR', 'expired 1250 EUR']);
  });

  it('leaves new checkouts as they always were', async () => {
    const session = await shop.checkout({ expiresInS: 3600 });
    expect(session.expires_at - session.created).toBe(3600);
    expect(Math.abs(session.created - Date.now() / 1000)).toBeLessThan(30);
  });
});
