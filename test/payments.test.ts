import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { normal } from './support/api.ts';
import { backends } from './support/engine.ts';
import { type MoneyEngine, startMoneyEngine } from './support/money.ts';

const providers = ['stripe', 'paypal'] as const;
const price = 240;

describe.each(backends)('the money of an order, on %s', (backend) => {
  let money: MoneyEngine;
  beforeAll(async () => {
    money = await startMoneyEngine(backend, { env: { BOT_PROCESSING_MS: '20' } });
    await money.engine.api.addBot();
  });
  afterAll(() => money.close());

  describe.each(providers)('by %s', (provider) => {
    it('is held when it is paid, and captured once when it is complete', async () => {
      const placed = await money.placeOnline(provider);
      expect(placed).toMatchObject({
        status: 'awaiting_payment',
        payment: { method: provider, status: 'requires_payment' },
      });
      expect((await money.engine.api.board()).pending.map(({ number }) => number)).not.toContain(placed.number);
      money.pay(placed);
      const done = await money.untilAt(placed.number, 'complete', 'captured');
      expect(done.payment).toMatchObject({ checkoutUrl: null, reference: expect.any(String) });
      expect(money.moved(placed.number)).toEqual([`authorised ${price} EUR`, `captured ${price} EUR`]);
      const types = (await money.engine.api.events(placed.number)).map(({ type }) => type);
      expect(types).toEqual([
        'placed',
        'checkout_opened',
        'payment_authorised',
        'paid',
        'started',
        'completed',
        'payment_captured',
      ]);
    });
  });
});

it('keeps an order whose checkout our keys may not open, until they are mended', async () => {
  const money = await startMoneyEngine('postgres', { env: { STRIPE_SECRET_KEY: 'sk_test_wrong' } });
  const order = await money.placeOnline('stripe');
  expect(order).toMatchObject({
    status: 'awaiting_payment',
    payment: { status: 'requires_payment', checkoutUrl: null },
  });
  const checkout = await money.engine.api.call('POST', `/v1/orders/${order.number}/checkout`, { as: normal });
  expect(checkout.status).toBe(503);
  expect(await money.engine.database.query('SELECT type, seq, state FROM payment_operations')).toEqual([
    { type: 'checkout', seq: 1, state: 'requested' },
  ]);
  expect((await money.engine.api.order(order.number)).status).toBe('awaiting_payment');
  await money.close();
});
