import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
