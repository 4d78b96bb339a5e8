import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Order } from '../src/domain/order.ts';
import type { PaymentProvider } from '../src/domain/payment.ts';
import type { RunningWorkers } from '../workers/main.ts';
import { manager, normal, vip } from './support/api.ts';
import type { Backend } from './support/engine.ts';
import { checkoutOf, type MoneyEngine, startMoneyEngine } from './support/money.ts';
import { until } from './support/until.ts';

const cases: [PaymentProvider, Backend][] = [
  ['stripe', 'redis'],
  ['paypal', 'postgres'],
];
const hold = 'authorised 240 EUR';

describe.each(cases)('how a payment by %s ends, on %s', (provider, backend) => {
  let money: MoneyEngine;
  let bots: RunningWorkers | undefined;
  beforeAll(async () => {
    money = await startMoneyEngine(backend, { roles: ['payments', 'relay'] });
    await money.engine.api.addBot();
  });
  afterEach(async () => {
    await bots?.close();
    bots = undefined;
  });
  afterAll(() => money.close());

  const startBots = async (processingMs: number) => {
    bots = await money.engine.startWorkers(['bots'], { BOT_PROCESSING_MS: String(processingMs) });
  };
  const pending = async () => {
    const order = await money.placeOnline(provider);
    money.pay(order);
    return money.untilAt(order.number, 'pending', 'authorised');
  };
  const processing = async () => {
    const order = await pending();
    await startBots(60_000);
    return money.untilAt(order.number, 'processing', 'authorised');
  };
  const captured = async () => {
    const order = await pending();
    await startBots(10);
    return money.untilAt(order.number, 'complete', 'captured');
  };
  /** As if the time had come for the payment to be looked at again. */
  const haveLookedAt = (orderNumber: number, more = '') =>
    money.engine.database.query(
      `UPDATE payments SET ${more} sync_no = sync_no + 1, next_sync_at = now() WHERE order_number = ${orderNumber}`,
    );
  const refund = (orderNumber: number, body: unknown) =>
    money.engine.api.call<{ refund: { status: string }; code: string }>('POST', `/v1/orders/${orderNumber}/refunds`, {
      as: manager,
      body,
    });

  it('with a decline: the order is cancelled and says why', async () => {
    const order = await money.placeOnline(provider);
    money.sandbox.decline(checkoutOf(order));
    // At Stripe the customer may try another card as long as the checkout is open.
    if (provider === 'stripe') money.sandbox.clock.advance(3_700_000);
    const ended = await until('the order cancelled', async () => {
      const now = await money.engine.api.order(order.number);
      return now.status === 'cancelled' && now;
    });
    expect(ended.failureReason).toBe('payment_declined');
    expect(money.moved(order.number)).toEqual([]);
  });

  it('after a decline, with another card that is good', async () => {
    if (provider === 'paypal') return; // there the customer chooses again before we are asked
    const order = await money.placeOnline(provider);
    money.sandbox.decline(checkoutOf(order));
    money.pay(order);
    await money.untilAt(order.number, 'pending', 'authorised');
    expect(await money.cancel(order.number)).toBe(200);
  });

  it('with nobody who pays: the order is cancelled when its checkout is over', async () => {
    const order = await money.placeOnline(provider);
    if (provider === 'stripe') money.sandbox.clock.advance(3_700_000);
    else await haveLookedAt(order.number, 'checkout_expires_at = now(),');
    const ended = await money.untilAt(order.number, 'cancelled', 'expired');
    expect(ended.failureReason).toBe('payment_expired');
    expect(money.moved(order.number)).toEqual([]);
  });

  it('cancelled before it is paid, by its owner: an approval that comes after that is never taken up', async () => {
    const order = await money.placeOnline(provider);
    expect(await money.cancel(order.number, normal)).toBe(200);
    await money.untilAt(order.number, 'cancelled', 'expired');
    if (provider === 'stripe') expect(() => money.pay(order)).toThrow();
    else money.pay(order);
    await haveLookedAt(order.number);
    await until('a look', async () => {
      const [row] = await money.engine.database.query<{ due: boolean }>(
        `SELECT next_sync_at IS NOT NULL AS due FROM payments WHERE order_number = ${order.number}`,
      );
      return row?.due === false;
    });
    expect(money.moved(order.number)).toEqual([]);
  });

  it('cancelled before its checkout could be opened: nothing stays open', async () => {
    const fault = { provider, operation: 'checkout.create', kind: 'unavailable', times: 200 } as const;
    money.sandbox.faults.add(fault);
    const order = await money.placeOnline(provider);
    expect(order).toMatchObject({ status: 'awaiting_payment', payment: { checkoutUrl: null } });
    const unavailable = await money.engine.api.call('POST', `/v1/orders/${order.number}/checkout`, { as: normal });
    expect(unavailable.status, 'as long as the provider is away').toBe(503);
    expect(await money.cancel(order.number, normal)).toBe(200);
    money.sandbox.faults.clear();
    await keepOthersAway(order);
    await forgetKeys(order);
    await haveLookedAt(order.number);
    await money.untilAt(order.number, 'cancelled', 'expired');
    expect((await operations(order)).filter(({ state }) => state === 'unknown' || state === 'requested')).toEqual([]);
  });

  it('has its checkout opened by a job, when the provider was away at first', async () => {
    money.sandbox.faults.add({ provider, operation: 'checkout.create', kind: 'unavailable', times: 2 });
    const order = await money.placeOnline(provider);
    const opened = await until('a checkout', async () => {
      const now = await money.engine.api.order(order.number);
      return now.payment.checkoutUrl === null ? undefined : now;
    });
    money.pay(opened);
    await money.untilAt(order.number, 'pending', 'authorised');
    expect(await money.cancel(order.number)).toBe(200);
  });

  it('cancelled while it waits in its lane, by its owner: the hold is let go', async () => {
    const order = await pending();
    expect(await money.cancel(order.number, vip), 'by somebody else').toBe(404);
    expect(await money.cancel(order.number, normal)).toBe(200);
    await money.untilAt(order.number, 'cancelled', 'voided');
    expect(money.moved(order.number)).toEqual([hold, 'voided 240 EUR']);
  });

  it('cancelled in the hands of a bot, by a manager: the bot stops and the hold is let go', async () => {
    const order = await processing();
    expect(await money.cancel(order.number, normal), 'by its owner').toBe(409);
    expect(await money.cancel(order.number, manager)).toBe(200);
    await money.untilAt(order.number, 'cancelled', 'voided');
    await until('the bot idle', async () => (await money.engine.api.bots()).every(({ status }) => status === 'idle'));
    expect(money.moved(order.number)).toEqual([hold, 'voided 240 EUR']);
  });

  it('cancelled by a manager after it has failed: the hold is let go', async () => {
    const order = await pending();
    await money.engine.database.query(
      "UPDATE orders SET status = 'failed', failure_reason = 'burnt' WHERE number = $1",
      [order.number],
    );
    expect(await money.cancel(order.number, normal), 'by its owner').toBe(409);
    expect(await money.cancel(order.number, manager)).toBe(200);
    await money.untilAt(order.number, 'cancelled', 'voided');
    expect(money.moved(order.number)).toEqual([hold, 'voided 240 EUR']);
  });

  it('paid and cancelled at the same moment: never both held and kept', async () => {
    for (let round = 0; round < 4; round += 1) {
      const order = await money.placeOnline(provider);
      const cancelling = money.cancel(order.number, manager);
      try {
        money.pay(order);
      } catch {} // its checkout was over already
      expect(await cancelling).toBe(200);
      await until('all let go', async () => {
        const { payment } = await money.engine.api.order(order.number);
        return payment.status === 'voided' || payment.status === 'expired';
      });
      expect(money.moved(order.number).filter((move) => move.startsWith('captured'))).toEqual([]);
      const held = money.moved(order.number).filter((move) => move === hold).length;
      const letGo = money.moved(order.number).filter((move) => move.startsWith('voided')).length;
      expect(letGo).toBe(held);
    }
  });

  it('refunded in parts and then whole, and never more than was captured', async () => {
    const order = await captured();
    expect(await money.cancel(order.number)).toBe(409);
    expect((await refund(order.number, { amount: { amountMinor: 241, currency: 'EUR' } })).body.code).toBe(
      'refund_exceeds_captured',
    );
    expect((await refund(order.number, { amount: { amountMinor: 100, currency: 'USD' } })).body.code).toBe(
      'input_invalid',
    );
    const first = await refund(order.number, { amount: { amountMinor: 100, currency: 'EUR' }, reason: 'cold' });
    expect([first.status, first.body.refund.status]).toEqual([201, 'requested']);
    const second = await refund(order.number, { amount: { amountMinor: 100, currency: 'EUR' }, reason: 'still cold' });
    expect(second.status, 'the same once more is another refund').toBe(201);
    expect((await refund(order.number, { amount: { amountMinor: 41, currency: 'EUR' } })).status).toBe(409);
    await until('two refunds', () => money.moved(order.number).length === 4);
    await money.untilAt(order.number, 'complete', 'partially_refunded');
    expect((await refund(order.number, null)).status, 'the rest').toBe(201);
    await money.untilAt(order.number, 'complete', 'refunded');
    expect((await refund(order.number, null)).status).toBe(409);
    expect(money.moved(order.number)).toEqual([
      hold,
      'captured 240 EUR',
      'refunded 100 EUR',
      'refunded 100 EUR',
      'refunded 40 EUR',
    ]);
  });

  it('refunded once for one key, however often it is asked', async () => {
    const order = await captured();
    const body = { amount: { amountMinor: 100, currency: 'EUR' } };
    const ask = (more: object = body) =>
      money.engine.api.call<{ refund: { id: string } }>('POST', `/v1/orders/${order.number}/refunds`, {
        as: manager,
        body: more,
        headers: { 'idempotency-key': 'pressed twice' },
      });
    const answers = await Promise.all([ask(), ask(), ask()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 201]);
    expect(new Set(answers.map(({ body: { refund } }) => refund.id)).size).toBe(1);
    expect((await ask({ amount: { amountMinor: 101, currency: 'EUR' } })).status).toBe(422);
    await money.untilAt(order.number, 'complete', 'partially_refunded');
    expect(money.moved(order.number)).toEqual([hold, 'captured 240 EUR', 'refunded 100 EUR']);
    expect((await refund(order.number, { amount: { amountMinor: 0, currency: 'EUR' } })).body.code).toBe(
      'input_invalid',
    );
  });

  it('refunded again, when the first refund came back days later', async () => {
    const order = await captured();
    if (provider === 'paypal') return; // there it fails at once in the sandbox
    money.sandbox.faults.add({ provider, operation: 'refund', kind: 'refund_pending', orderNumber: order.number });
    expect((await refund(order.number, null)).status).toBe(201);
    await until('it is pending', () => money.sandbox.faults.waiting().length === 0);
    expect((await refund(order.number, null)).status, 'while it is on its way').toBe(409);
    expect((await money.engine.api.order(order.number)).payment.status).toBe('captured');
  });

  it('captured after a decline, when somebody has it tried again', async () => {
    const order = await pending();
    if (provider === 'stripe') return; // declines there are refusals: see Bull Board's own retry
    money.sandbox.faults.add({ provider, operation: 'capture', kind: 'capture_declined', orderNumber: order.number });
    await startBots(10);
    await until('the refusal', async () =>
      (await operations(order)).some(({ error_kind }) => error_kind === 'declined'),
    );
    const retry = () => money.engine.api.call('POST', `/v1/orders/${order.number}/payment/retry`, { as: manager });
    expect((await retry()).status).toBe(202);
    await money.untilAt(order.number, 'complete', 'captured');
    expect(money.moved(order.number)).toEqual([hold, 'captured 240 EUR']);
  });

  it('with many refunds at once that together are too much: only what there is goes back', async () => {
    const order = await captured();
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => refund(order.number, { amount: { amountMinor: 100, currency: 'EUR' } })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 409, 409, 409, 409]);
    await until('two refunds', () => money.moved(order.number).length === 4);
    await money.untilAt(order.number, 'complete', 'partially_refunded');
  });

  it.each(['answer_lost', 'error_after', 'slow', 'slow_before', 'rate_limited', 'conflict', 'reset_before'] as const)(
    'captured once, through %s',
    async (kind) => {
      const order = await pending();
      const fault = { provider, kind, orderNumber: order.number, delayMs: 1_500, retryAfterSeconds: 1 };
      money.sandbox.faults.add({ ...fault, operation: 'capture' });
      await startBots(10);
      await money.untilAt(order.number, 'complete', 'captured');
      expect(money.moved(order.number)).toEqual([hold, 'captured 240 EUR']);
      expect(money.sandbox.faults.waiting(), 'the fault was met').toEqual([]);
    },
  );

  it.each(['answer_lost', 'slow_before', 'conflict'] as const)('refunded once, through %s', async (kind) => {
    const order = await captured();
    const fault = { provider, kind, orderNumber: order.number, delayMs: 1_500 };
    money.sandbox.faults.add({ ...fault, operation: 'refund' });
    await refund(order.number, { amount: { amountMinor: 100, currency: 'EUR' } });
    await money.untilAt(order.number, 'complete', 'partially_refunded');
    await until('no operation without an end', async () =>
      (await operations(order)).every(({ state }) => state !== 'unknown'),
    );
    await delay(1_600); // what was slow has had its effect by now
    expect(money.moved(order.number)).toEqual([hold, 'captured 240 EUR', 'refunded 100 EUR']);
    expect((await operations(order)).filter(({ type }) => type === 'refund')).toMatchObject([
      { seq: 1, state: 'succeeded' },
    ]);
  });

  it('opened with a new key, when the old one only repeats an error', async () => {
    if (provider === 'paypal') return; // keeps no errors under a key
    money.sandbox.faults.add({ provider, operation: 'checkout.create', kind: 'error_after' });
    const order = await money.placeOnline(provider);
    expect(order.payment.checkoutUrl).toBeNull();
    const opened = await until(
      'a checkout',
      async () => {
        const now = await money.engine.api.order(order.number);
        return now.payment.checkoutUrl === null ? undefined : now;
      },
      40_000,
    );
    expect((await operations(order)).map(({ seq, state }) => [seq, state])).toEqual([
      [1, 'failed'],
      [2, 'succeeded'],
    ]);
    money.pay(opened);
    await money.untilAt(order.number, 'pending', 'authorised');
    expect(await money.cancel(order.number)).toBe(200);
  });

  it('captured once, though we had not written it down when the key was forgotten', async () => {
    const order = await captured();
    await keepOthersAway(order);
    await money.engine.database.query(
      `WITH ours AS (UPDATE payments SET status = 'authorised', captured_minor = 0, capture_reference = NULL, captured_at = NULL
                     WHERE order_number = ${order.number} RETURNING id)
       UPDATE payment_operations o SET state = 'unknown', finished_at = NULL FROM ours WHERE payment_id = ours.id AND type = 'capture'`,
    );
    await forgetKeys(order);
    await haveLookedAt(order.number);
    await money.untilAt(order.number, 'complete', 'captured');
    expect(money.moved(order.number)).toEqual([hold, 'captured 240 EUR']);
    expect((await operations(order)).filter(({ type }) => type === 'capture')).toMatchObject([{ state: 'succeeded' }]);
  });

  it('captured by a new key, when it was not before the old one was forgotten', async () => {
    const order = await pending();
    money.sandbox.faults.add({
      provider,
      operation: 'capture',
      kind: 'unavailable',
      orderNumber: order.number,
      times: 40,
    });
    await startBots(10);
    await until('an operation without an end', async () =>
      (await operations(order)).some(({ state }) => state === 'unknown'),
    );
    await keepOthersAway(order);
    await forgetKeys(order);
    money.sandbox.faults.clear();
    await haveLookedAt(order.number);
    await money.untilAt(order.number, 'complete', 'captured');
    expect(money.moved(order.number)).toEqual([hold, 'captured 240 EUR']);
    const captures = (await operations(order)).filter(({ type }) => type === 'capture');
    expect(captures.map(({ seq, state, error_kind }) => [seq, state, error_kind])).toEqual([
      [1, 'failed', 'superseded'],
      [2, 'succeeded', null],
    ]);
  });

  const operations = ({ number }: Order) =>
    money.engine.database.query<{ type: string; seq: number; state: string; error_kind: string | null }>(
      `SELECT o.type, o.seq, o.state, o.error_kind FROM payment_operations o JOIN payments p ON p.id = o.payment_id
       WHERE p.order_number = ${number} ORDER BY o.created_at, o.seq`,
    );
  /** Nobody looks at the payment for a moment, so that what is changed under it is seen whole. */
  const keepOthersAway = ({ number }: Order) =>
    until('the lease', async () => {
      const taken = await money.engine.database.query(
        `UPDATE payments SET lease_id = gen_random_uuid(), lease_until = now() + interval '1 second'
         WHERE order_number = ${number} AND lease_id IS NULL RETURNING id`,
      );
      return taken.length > 0;
    });
  /** As if so much time had passed that the provider knows none of our keys any more. */
  const forgetKeys = ({ number }: Order) =>
    money.engine.database.query(
      `UPDATE payment_operations o SET first_asked_at = first_asked_at - interval '50 days' FROM payments p
       WHERE p.id = o.payment_id AND p.order_number = ${number}`,
    );
});
