import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PaymentProvider } from '../src/domain/payment.ts';
import { manager, normal } from './support/api.ts';
import type { Backend } from './support/engine.ts';
import { type MoneyEngine, startMoneyEngine } from './support/money.ts';
import { until } from './support/until.ts';

const day = 86_400_000;
const hold = 'authorised 240 EUR';
const cases: [PaymentProvider, Backend, number][] = [
  ['stripe', 'postgres', 7 * day],
  ['paypal', 'redis', 3 * day],
];

/** An engine with a policy, and orders that are paid for and wait in their lane. */
function withPolicy(policy: string, backend: Backend) {
  let money: MoneyEngine;
  beforeAll(async () => {
    money = await startMoneyEngine(backend, {
      roles: ['payments', 'relay'],
      env: { AUTHORISATION_END_POLICY: policy, AUTHORISATION_END_MARGIN: '12h' },
    });
  });
  afterAll(() => money.close());
  return {
    get money() {
      return money;
    },
    async pending(provider: PaymentProvider) {
      const order = await money.placeOnline(provider);
      money.pay(order);
      return money.untilAt(order.number, 'pending', 'authorised');
    },
    /** So much time goes by, and the payment is looked at. */
    async wait(orderNumber: number, ms: number) {
      money.sandbox.clock.advance(ms);
      const [before] = await money.engine.database.query<{ synced: number }>(
        `UPDATE payments SET sync_no = sync_no + 1, next_sync_at = now() WHERE order_number = ${orderNumber} RETURNING synced_no AS synced`,
      );
      await until('a look', async () => {
        const [row] = await money.engine.database.query<{ synced: number; open: boolean }>(
          `SELECT synced_no AS synced, sync_no > synced_no AS open FROM payments WHERE order_number = ${orderNumber}`,
        );
        return row && row.synced > before!.synced && !row.open;
      });
    },
  };
}

describe.each(cases)('a hold of %s that nears its end', (provider, backend, lifeMs) => {
  describe('captured early', () => {
    const scene = withPolicy('capture_early', backend);

    it('says on the order how long it is good for', async () => {
      const order = await scene.pending(provider);
      const leftMs = Date.parse(order.payment.authorisedUntil ?? '') - Date.now();
      expect(leftMs).toBeGreaterThan(lifeMs - 60_000);
      expect(leftMs).toBeLessThan(lifeMs + 60_000);
      await scene.wait(order.number, lifeMs - day);
      expect(scene.money.moved(order.number), 'a day before').toEqual([hold]);
      await scene.wait(order.number, 0.6 * day);
      await scene.money.untilAt(order.number, 'pending', 'captured');
      expect(scene.money.moved(order.number)).toEqual([hold, 'captured 240 EUR']);
    });

    it('is given back when the order is cancelled after that', async () => {
      const order = await scene.pending(provider);
      await scene.wait(order.number, lifeMs - 0.4 * day);
      await scene.money.untilAt(order.number, 'pending', 'captured');
      expect(await scene.money.cancel(order.number, normal)).toBe(200);
      await scene.money.untilAt(order.number, 'cancelled', 'refunded');
      expect(scene.money.moved(order.number)).toEqual([hold, 'captured 240 EUR', 'refunded 240 EUR']);
    });

    it('is not cooked for nothing when it is given back whole before it is made', async () => {
      const order = await scene.pending(provider);
      await scene.wait(order.number, lifeMs - 0.4 * day);
      await scene.money.untilAt(order.number, 'pending', 'captured');
      const refunded = await scene.money.engine.api.call('POST', `/v1/orders/${order.number}/refunds`, { as: manager });
      expect(refunded.status).toBe(201);
      expect((await scene.money.untilAt(order.number, 'cancelled', 'refunded')).failureReason).toBe('payment_refunded');
    });

    it('is let go when the order has failed', async () => {
      const order = await scene.pending(provider);
      await scene.money.engine.database.query(
        `UPDATE orders SET status = 'failed', failure_reason = 'burnt' WHERE number = ${order.number}`,
      );
      await scene.wait(order.number, lifeMs - 0.4 * day);
      const ended = await scene.money.untilAt(order.number, 'cancelled', 'voided');
      expect(ended.failureReason).toBe('authorisation_lost');
      expect(scene.money.moved(order.number)).toEqual([hold, 'voided 240 EUR']);
    });

    it('is captured once, early and then complete', async () => {
      const order = await scene.pending(provider);
      await scene.wait(order.number, lifeMs - 0.4 * day);
      await scene.money.untilAt(order.number, 'pending', 'captured');
      const bots = await scene.money.engine.startWorkers(['bots'], { BOT_PROCESSING_MS: '10' });
      await scene.money.engine.api.addBot();
      await scene.money.untilAt(order.number, 'complete', 'captured');
      await scene.wait(order.number, 0);
      expect(scene.money.moved(order.number)).toEqual([hold, 'captured 240 EUR']);
      await bots.close();
    });
  });

  describe('void and cancel', () => {
    const scene = withPolicy('void_and_cancel', backend);

    it('ends the order, also in the hands of a bot', async () => {
      const order = await scene.pending(provider);
      const bots = await scene.money.engine.startWorkers(['bots'], { BOT_PROCESSING_MS: '60000' });
      await scene.money.engine.api.addBot();
      await scene.money.untilAt(order.number, 'processing', 'authorised');
      await scene.wait(order.number, lifeMs - 0.4 * day);
      await scene.money.untilAt(order.number, 'cancelled', 'voided');
      await until('the bot idle', async () =>
        (await scene.money.engine.api.bots()).every((bot) => bot.status === 'idle'),
      );
      expect(scene.money.moved(order.number)).toEqual([hold, 'voided 240 EUR']);
      await bots.close();
    });

    it('does not cook for nothing when the hold is over at the provider', async () => {
      const order = await scene.pending(provider);
      await scene.wait(order.number, 30 * day);
      const ended = await until('the order cancelled', async () => {
        const now = await scene.money.engine.api.order(order.number);
        return now.status === 'cancelled' && now;
      });
      expect(ended.failureReason).toBe('authorisation_lost');
      expect(scene.money.moved(order.number).filter((move) => move.startsWith('captured'))).toEqual([]);
    });
  });
});

describe('a hold of PayPal that may be renewed', () => {
  const scene = withPolicy('reauthorise', 'postgres');

  it('is renewed once, after its honour period, and captured before the end of the second', async () => {
    const order = await scene.pending('paypal');
    await scene.wait(order.number, 3.5 * day);
    expect(scene.money.moved(order.number), 'not yet possible').toEqual([hold]);
    await scene.wait(order.number, 0.6 * day);
    await until('a new hold', () => scene.money.moved(order.number).includes('reauthorised 240 EUR'));
    const renewed = await until('the new hold on the order', async () => {
      const now = await scene.money.engine.api.order(order.number);
      return now.payment.reference !== order.payment.reference && now;
    });
    expect(Date.parse(renewed.payment.authorisedUntil ?? '') - Date.now()).toBeGreaterThan(2.9 * day);
    expect((await scene.money.engine.api.events(order.number)).map(({ type }) => type)).toContain(
      'payment_reauthorised',
    );
    await scene.wait(order.number, 2.7 * day);
    await scene.money.untilAt(order.number, 'pending', 'captured');
    expect(scene.money.moved(order.number)).toEqual([hold, 'reauthorised 240 EUR', 'captured 240 EUR']);
  });

  it('is let go whole when its order is cancelled after the renewal', async () => {
    const order = await scene.pending('paypal');
    await scene.wait(order.number, 4.1 * day);
    await until('a new hold', () => scene.money.moved(order.number).includes('reauthorised 240 EUR'));
    expect(await scene.money.cancel(order.number, manager)).toBe(200);
    await scene.money.untilAt(order.number, 'cancelled', 'voided');
    expect(scene.money.moved(order.number).at(-1)).toBe('voided 240 EUR');
  });
});
