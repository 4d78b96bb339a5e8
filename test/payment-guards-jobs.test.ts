import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../src/db/pool.ts';
import type { Order } from '../src/domain/order.ts';
import type { PaymentProvider } from '../src/domain/payment.ts';
import { createLog } from '../src/log.ts';
import { askForDueWork } from '../src/operations/payment-janitor.ts';
import type { RunningWorkers } from '../workers/main.ts';
import { manager } from './support/api.ts';
import type { Backend } from './support/engine.ts';
import { type MoneyEngine, startMoneyEngine } from './support/money.ts';
import { until } from './support/until.ts';

const cases: [PaymentProvider, Backend][] = [
  ['stripe', 'redis'],
  ['paypal', 'postgres'],
];
const taken = ['authorised 240 EUR', 'captured 240 EUR'];
const dayMs = 86_400_000;

describe.each(cases)('what %s does in its own time, on %s', (provider, backend) => {
  let money: MoneyEngine;
  let database: Database;
  let bots: RunningWorkers | undefined;
  beforeAll(async () => {
    money = await startMoneyEngine(backend, { roles: ['payments', 'relay'], env: { BOT_PROCESSING_MS: '10' } });
    database = await openDatabase(money.engine.config.databaseUrl, createLog('silent', 'test'));
    await money.engine.api.addBot();
  });
  afterEach(async () => {
    money.sandbox.faults.clear();
    await bots?.close();
    bots = undefined;
  });
  afterAll(async () => {
    await database.close();
    await money.close();
  });

  /** `prepare` is called when the order is paid, and all that was told about that has been seen to. */
  const captured = async (prepare: (orderNumber: number) => void = () => {}) => {
    const { number } = await paid();
    prepare(number);
    bots = await money.engine.startWorkers(['bots']);
    return money.untilAt(number, 'complete', 'captured');
  };
  const paid = async () => {
    const order = await money.placeOnline(provider);
    money.pay(order);
    await money.untilAt(order.number, 'pending', 'authorised');
    await money.sandbox.webhooks.idle();
    await until('nothing under way', async () => {
      const open = await money.engine.database.query(
        `SELECT FROM payments p LEFT JOIN webhook_events e ON e.payment_id = p.id AND e.handled_at IS NULL
         WHERE p.order_number = ${order.number} AND (p.sync_no > p.synced_no OR p.lease_id IS NOT NULL OR e.id IS NOT NULL)`,
      );
      return open.length === 0;
    });
    return order;
  };
  /** From here on only our own looks tell: no event arrives. */
  const tellNothing = ({ number: orderNumber }: Order) =>
    money.sandbox.faults.add({ provider, webhook: 'any', kind: 'lost', times: 100, orderNumber });
  const refund = async ({ number }: Order, amountMinor: number) => {
    const body = { amount: { amountMinor, currency: 'EUR' } };
    return (await money.engine.api.call('POST', `/v1/orders/${number}/refunds`, { as: manager, body })).status;
  };

  interface Refunding {
    state: string;
    asked_count: number;
    refunded_minor: string;
    payment: string;
    due_in_seconds: number | null;
  }
  /** The last refund, at a moment when nobody is at it and no look is asked for. */
  const refundAtRest = ({ number }: Order) =>
    until('a refund at rest', async () => {
      const [row] = await money.engine.database.query<Refunding>(
        `SELECT o.state, o.asked_count, p.refunded_minor, p.status AS payment,
                extract(epoch FROM p.next_sync_at - now())::int AS due_in_seconds
         FROM payment_operations o JOIN payments p ON p.id = o.payment_id
         WHERE p.order_number = ${number} AND o.type = 'refund' AND o.asked_count > 0
           AND p.lease_id IS NULL AND (p.sync_no = p.synced_no OR p.sync_failures > 0)
         ORDER BY o.seq DESC LIMIT 1`,
      );
      return row;
    });
  /** As if the time had come for it, by which no request can still be on its way. */
  const haveLookedAt = async ({ number }: Order) => {
    await money.engine.database.query(
      `WITH payment AS (UPDATE payments SET next_sync_at = now() WHERE order_number = ${number} RETURNING id)
       UPDATE payment_operations o SET first_asked_at = first_asked_at - interval '1 hour' FROM payment
       WHERE o.payment_id = payment.id AND o.type = 'refund'`,
    );
    await askForDueWork({ pool: database.pool, wakeRelay: () => {} });
  };

  it('a refund that is pending there is done here when it is done there, and asked for once', async () => {
    const order = await captured();
    tellNothing(order);
    money.sandbox.faults.add({ provider, operation: 'refund', kind: 'refund_pending', orderNumber: order.number });
    expect(await refund(order, 100)).toBe(201);
    const asked = await refundAtRest(order);
    expect(asked.state).not.toBe('succeeded');
    expect(asked).toMatchObject({ payment: 'captured', refunded_minor: '0', asked_count: 1 });
    await haveLookedAt(order);
    const pending = await refundAtRest(order);
    expect(pending, 'an hour later').toMatchObject({ payment: 'captured', refunded_minor: '0', asked_count: 1 });
    expect(pending.due_in_seconds, 'it is looked at again').toBeGreaterThan(0);
    expect(pending.due_in_seconds).toBeLessThanOrEqual(600);
    expect(money.moved(order.number)).toEqual(taken);

    money.sandbox.clock.advance(dayMs + 60_000);
    await haveLookedAt(order);
    const done = await refundAtRest(order);
    expect(done).toEqual({
      state: 'succeeded',
      payment: 'partially_refunded',
      refunded_minor: '100',
      asked_count: 1,
      due_in_seconds: null,
    });
    expect(money.moved(order.number)).toEqual([...taken, 'refunded 100 EUR']);
  });

  it('a refund that fails there, at once or in the end, is none, and may be asked for again', async () => {
    const order = await captured();
    tellNothing(order);
    money.sandbox.faults.add({ provider, operation: 'refund', kind: 'refund_failed', orderNumber: order.number });
    expect(await refund(order, 240)).toBe(201);
    await refundAtRest(order);
    if (provider === 'stripe') expect(await refund(order, 1), 'while it is pending').toBe(409);
    money.sandbox.clock.advance(dayMs + 60_000);
    await haveLookedAt(order);
    expect(await refundAtRest(order)).toMatchObject({ state: 'failed', payment: 'captured', refunded_minor: '0' });
    expect(await refund(order, 240)).toBe(201);
    await money.untilAt(order.number, 'complete', 'refunded');
    expect(await refundAtRest(order)).toMatchObject({ state: 'succeeded', refunded_minor: '240' });
    expect(money.moved(order.number)).toEqual([...taken, 'refunded 240 EUR']);
  });

  it('a capture that is to be tried again in 2 s is not asked for before', async () => {
    const order = await captured((orderNumber) =>
      money.sandbox.faults.add({
        provider,
        operation: 'capture',
        kind: 'rate_limited',
        retryAfterSeconds: 2,
        orderNumber,
      }),
    );
    expect(money.sandbox.faults.waiting(), 'it was told to wait').toEqual([]);
    const [asked] = await money.engine.database.query<{ at: Date }>(
      `SELECT o.created_at AS at FROM payment_operations o JOIN payments p ON p.id = o.payment_id
       WHERE p.order_number = ${order.number} AND o.type = 'capture'`,
    );
    const [capture] = money.sandbox.ledger.entries({ orderNumber: order.number, kind: 'captured' });
    expect(Date.parse(capture!.at) - asked!.at.getTime()).toBeGreaterThanOrEqual(2_000);
  });

  it('a capture that is to be tried again later is not asked for before, whoever else asks for a look', async () => {
    const order = await paid();
    const fault = { provider, operation: 'capture', orderNumber: order.number, kind: 'rate_limited' } as const;
    money.sandbox.faults.add({ ...fault, retryAfterSeconds: 4 });
    bots = await money.engine.startWorkers(['bots']);
    await until('the 429', () => money.sandbox.faults.waiting().length === 0);
    await haveLookedAt(order);
    await money.untilAt(order.number, 'complete', 'captured');
    const [asked] = await money.engine.database.query<{ at: Date }>(
      `SELECT o.created_at AS at FROM payment_operations o JOIN payments p ON p.id = o.payment_id
       WHERE p.order_number = ${order.number} AND o.type = 'capture'`,
    );
    const [capture] = money.sandbox.ledger.entries({ orderNumber: order.number, kind: 'captured' });
    expect(Date.parse(capture!.at) - asked!.at.getTime()).toBeGreaterThanOrEqual(4_000);
  });
});
