import Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { SignatureInvalidError } from './payment-gateway.ts';
import { readStripeEvent } from './stripe-events.ts';

const secret = 'whsec_of_these_tests';
const secondsAgo = (seconds: number) => Math.floor(Date.now() / 1_000) - seconds;

function signed(body: string, options: { secret?: string; timestamp?: number } = {}) {
  const header = Stripe.webhooks.generateTestHeaderString({
    payload: body,
    secret,
    timestamp: secondsAgo(0),
    ...options,
  });
  return { 'stripe-signature': header };
}

const read = (body: string, headers = signed(body)) => readStripeEvent(Buffer.from(body), headers, secret);

function eventOf(type: string, object: Record<string, unknown>): string {
  const event = {
    id: 'evt_1',
    object: 'event',
    api_version: '2020-08-27',
    created: 1_780_000_000,
    type,
    data: { object },
  };
  return JSON.stringify(event, null, 2); // as Stripe sends it: not what JSON.stringify would make of it again
}

const intent = {
  id: 'pi_1',
  object: 'payment_intent',
  amount: 1250,
  currency: 'eur',
  latest_charge: 'ch_1',
  metadata: { paymentId: 'payment-1', orderNumber: '1042' },
};

describe('what an event says', () => {
  it('is whose payment it is about, where to look, and what was agreed', () => {
    expect(read(eventOf('payment_intent.amount_capturable_updated', intent))).toEqual({
      id: 'evt_1',
      type: 'payment_intent.amount_capturable_updated',
      occurredAt: new Date(1_780_000_000_000),
      paymentId: 'payment-1',
      references: ['pi_1', 'ch_1'],
      amount: { amountMinor: 1250, currency: 'EUR' },
    });
  });

  it.each([
    [
      'checkout.session.completed',
      { object: 'checkout.session', id: 'cs_1', payment_intent: 'pi_1' },
      ['cs_1', 'pi_1'],
    ],
    ['checkout.session.expired', { object: 'checkout.session', id: 'cs_1', payment_intent: null }, ['cs_1']],
    ['charge.refunded', { object: 'charge', id: 'ch_1', payment_intent: { id: 'pi_1', amount: 5 } }, ['ch_1', 'pi_1']],
    [
      'refund.updated',
      { object: 'refund', id: 're_1', charge: 'ch_1', payment_intent: 'pi_1' },
      ['re_1', 'pi_1', 'ch_1'],
    ],
    ['customer.created', { object: 'customer', id: 'cus_1', email: 'somebody@example.com' }, []],
  ])('refers at %s to the objects of the payment', (type, object, references) => {
    expect(read(eventOf(type, object)).references).toEqual(references);
  });

  it.each([
    ['checkout.session.completed', { amount_total: 500, currency: 'jpy' }, { amountMinor: 500, currency: 'JPY' }],
    ['checkout.session.completed', { amount_total: 50_000, currency: 'isk' }, { amountMinor: 500, currency: 'ISK' }],
    ['checkout.session.expired', { amount_total: 500, currency: 'jpy' }, null],
    [
      'payment_intent.amount_capturable_updated',
      { amount: 500, amount_capturable: 400, currency: 'eur' },
      { amountMinor: 500, currency: 'EUR' },
    ],
    ['payment_intent.succeeded', { amount: 500, currency: 'eur' }, null],
    ['checkout.session.completed', { amount_total: 550, currency: 'isk' }, null],
    ['checkout.session.completed', { amount_total: '500', currency: 'eur' }, null],
    ['checkout.session.completed', { amount_total: 500 }, null],
  ])('says at %s of %o: %o', (type, object, amount) => {
    expect(read(eventOf(type, { object: 'checkout.session', id: 'cs_1', ...object })).amount).toEqual(amount);
  });

  it('is understood in the form of any API version, and where fields are missing or odd', () => {
    const odd = {
      object: 'payment_intent',
      id: 'pi_1',
      charges: { data: [] },
      metadata: null,
      amount: 12.5,
      currency: 7,
    };
    expect(read(eventOf('payment_intent.amount_capturable_updated', odd))).toMatchObject({
      paymentId: null,
      references: ['pi_1'],
      amount: null,
    });
    expect(read(eventOf('some.new_type', {}))).toMatchObject({ references: [], paymentId: null });
  });
});

describe('an event of whom nobody knows', () => {
  const body = eventOf('payment_intent.succeeded', intent);

  it.each([
    ['without a signature', body, {}],
    ['with a signature that is none', body, { 'stripe-signature': 'hello' }],
    ['with the signature of another secret', body, signed(body, { secret: 'whsec_another' })],
    ['with the signature of another body', body.replace('1250', '9999'), signed(body)],
    ['serialised anew', JSON.stringify(JSON.parse(body)), signed(body)],
    ['older than five minutes', body, signed(body, { timestamp: secondsAgo(301) })],
    ['without a body', '', { 'stripe-signature': 't=1,v1=00' }],
  ])('is refused: %s', (_case, sent, headers) => {
    expect(() => readStripeEvent(Buffer.from(sent), headers, secret)).toThrow(SignatureInvalidError);
  });

  it.each([
    ['no JSON', 'hello'],
    ['no event', '{"id":"evt_1"}'],
    ['no object', 'null'],
    ['an event of the second API', '{"id":"evt_1","object":"v2.core.event","type":"v1.x","created":"2026-01-01"}'],
  ])('is refused although its signature is good: %s', (_case, sent) => {
    expect(() => read(sent)).toThrow(SignatureInvalidError);
  });

  it('is taken just before it is too old', () => {
    expect(read(body, signed(body, { timestamp: secondsAgo(290) })).id).toBe('evt_1');
  });

  it('is refused in a sentence that holds neither the secret nor the customer', () => {
    const withCustomer = eventOf('charge.succeeded', { object: 'charge', billing_details: { email: 'a@example.com' } });
    const refusal = attempt(() => readStripeEvent(Buffer.from(withCustomer), signed(body), secret));
    expect(refusal).toBeInstanceOf(SignatureInvalidError);
    expect(refusal).not.toHaveProperty('cause');
    expect(String(refusal)).toBe(
      'SignatureInvalidError: No signatures found matching the expected signature for payload. Are you passing the raw request body you received from Stripe?',
    );
  });
});

function attempt(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}
