import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import Stripe from 'stripe';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SandboxOperation } from '../sandbox/payments/fault-script.ts';
import type { Order } from '../src/domain/order.ts';
import { type PaymentProvider, paymentProviders } from '../src/domain/payment.ts';
import { handleWebhookEvent } from '../src/operations/handle-webhook-event.ts';
import { askForDueWork } from '../src/operations/payment-janitor.ts';
import { settlePayment } from '../src/operations/settle-payment.ts';
import { type MoneyEngine, startMoneyEngine } from './support/money.ts';
import { openSettling } from './support/settling.ts';
import { until } from './support/until.ts';

const hold = 'authorised 240 EUR';

let money: MoneyEngine;
let deps: Awaited<ReturnType<typeof openSettling>>;
beforeAll(async () => {
  money = await startMoneyEngine('postgres', { roles: [], hasWebhooks: false });
  deps = await openSettling(money.engine);
});
afterEach(() => money.sandbox.faults.clear());
afterAll(async () => {
  await deps.close();
  await money.close();
});

interface PaymentRow {
  id: string;
  status: string;
  lease_id: string | null;
  sync_no: number;
  synced_no: number;
  sync_failures: number;
  due_in_minutes: number | null;
}
const paymentOf = async ({ number }: Order) =>
  (
    await money.engine.database.query<PaymentRow>(
      `SELECT id, status, lease_id, sync_no, synced_no, sync_failures,
              round(extract(epoch FROM next_sync_at - now()) / 60)::int AS due_in_minutes
       FROM payments WHERE order_number = ${number}`,
    )
  )[0]!;
const operationsOf = ({ number }: Order) =>
  money.engine.database.query<{ type: string; state: string; error_kind: string | null }>(
    `SELECT o.type, o.state, o.error_kind FROM payment_operations o JOIN payments p ON p.id = o.payment_id
     WHERE p.order_number = ${number} ORDER BY o.created_at, o.seq`,
  );
const look = async (order: Order) => settlePayment(deps, (await paymentOf(order)).id);
const paid = async (provider: PaymentProvider) => {
  const order = await money.placeOnline(provider);
  money.pay(order);
  return order;
};
/** Its hold is to be let go, and nobody has begun to. */
const cancelledWithHold = async (provider: PaymentProvider) => {
  const order = await paid(provider);
  await look(order);
  expect(await money.cancel(order.number)).toBe(200);
  return order;
};
const untilMet = (count = 1) => {
  const before = money.sandbox.faults.met().length;
  return () => until('the question', () => money.sandbox.faults.met().length >= before + count);
};
const askedFor = (order: Order, operation: SandboxOperation) =>
  money.sandbox.faults.met().filter((met) => met.orderNumber === order.number && met.operation === operation).length;

/** Keeps a lock as another transaction would, so that a race runs in the order that its test wants. */
async function keepLocked(statement: string) {
  const client = new pg.Client(money.engine.database.url);
  await client.connect();
  await client.query('BEGIN');
  await client.query(statement);
  return {
    untilWaiting: (transactions: number) =>
      until(`${transactions} wait`, async () => {
        const waiting = await money.engine.database.query(
          "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        );
        return waiting.length >= transactions;
      }),
    async letGo() {
      await client.query('COMMIT');
      await client.end();
    },
  };
}
const takeOver = async (order: Order) => {
  const leaseId = randomUUID();
  await money.engine.database.query(
    `UPDATE payments SET lease_id = '${leaseId}', lease_until = now() + interval '1 hour' WHERE order_number = ${order.number}`,
  );
  return leaseId;
};

it('keeps an order out of its lane that is cancelled at the moment when its payment is found held', async () => {
  const order = await paid('stripe');
  const row = await keepLocked(`SELECT FROM orders WHERE number = ${order.number} FOR UPDATE`);
  const cancelling = money.cancel(order.number);
  await row.untilWaiting(1);
  const looking = look(order);
  await row.untilWaiting(2); // it has read that the order waits for this money
  await row.letGo();
  expect([await cancelling, await looking]).toEqual([200, 'settled']);
  expect(await money.engine.api.order(order.number)).toMatchObject({ status: 'cancelled' });
  expect((await money.engine.api.events(order.number)).map(({ type }) => type)).not.toContain('paid');
  expect(money.moved(order.number)).toEqual([hold, 'voided 240 EUR']);
});

describe('a process that lost its lease', () => {
  it('asks the provider for nothing', async () => {
    const order = await paid('paypal');
    money.sandbox.faults.add({ provider: 'paypal', operation: 'authorise', kind: 'unavailable' });
    const operations = await keepLocked('LOCK TABLE payment_operations IN SHARE MODE');
    const late = expect(look(order)).rejects.toMatchObject({ name: 'LeaseLostError' });
    await operations.untilWaiting(1); // it has read, and is about to write down what it will ask
    const leaseId = await takeOver(order);
    await operations.letGo();
    await late;
    expect(money.sandbox.faults.waiting(), 'nobody was asked').toHaveLength(1);
    expect(money.moved(order.number)).toEqual([]);
    expect(await paymentOf(order), 'its failure is not that of the other').toMatchObject({
      lease_id: leaseId,
      sync_failures: 0,
    });
  });

  it('does not end the look of the other', async () => {
    const order = await cancelledWithHold('stripe');
    await look(order);
    expect(await money.engine.database.query(askAgain(order))).toHaveLength(1);
    const { synced_no } = await paymentOf(order);
    const quarantine = await keepLocked('LOCK TABLE quarantine IN ACCESS EXCLUSIVE MODE');
    const late = look(order);
    await quarantine.untilWaiting(1); // it has read, and is about to find that nothing is to be done
    const leaseId = await takeOver(order);
    await quarantine.letGo();
    await late.catch(() => 'lost');
    expect(await paymentOf(order)).toMatchObject({ lease_id: leaseId, synced_no });
  });
  const askAgain = ({ number }: Order) =>
    `UPDATE payments SET sync_no = sync_no + 1 WHERE order_number = ${number} RETURNING id`;
});

describe('an event that was', () => {
  it.each([
    ['handled', 240],
    ['quarantined', 241],
    ['discarded', null],
  ])('%s is not handled again by a job that comes twice', async (state, amount) => {
    const order = await money.placeOnline('stripe');
    const id = await tell(amount === null ? {} : { metadata: { paymentId: (await paymentOf(order)).id }, amount });
    if (state === 'discarded')
      await money.engine.database.query(
        `UPDATE webhook_events SET received_at = now() - interval '73 hours' WHERE id = '${id}'`,
      );
    const before = await paymentOf(order);
    await Promise.all([handleWebhookEvent(deps, id), handleWebhookEvent(deps, id)]);
    const handled = await eventOf(id);
    expect(handled).toMatchObject({ state });
    await handleWebhookEvent(deps, id);
    expect(await eventOf(id)).toEqual(handled);
    const looks = (await paymentOf(order)).sync_no - before.sync_no;
    expect(looks, 'asked for').toBe(state === 'handled' ? 1 : 0);
  });

  /** Comes through the door, and waits for its job. */
  async function tell({ amount, metadata = {} }: { amount?: number; metadata?: Record<string, string> }) {
    const id = `evt_${randomUUID()}`;
    const object = { id: `cs_${randomUUID()}`, object: 'checkout.session', metadata };
    const payload = JSON.stringify({
      id,
      object: 'event',
      api_version: '2026-10-28.endive',
      created: Math.floor(Date.now() / 1000),
      type: 'checkout.session.completed',
      data: { object: { ...object, ...(amount && { amount_total: amount, currency: 'eur' }) } },
    });
    const secret = money.sandbox.settings.STRIPE_WEBHOOK_SECRET ?? '';
    const signature = new Stripe('sk_test_x').webhooks.generateTestHeaderString({ payload, secret });
    const headers = { 'content-type': 'application/json', 'stripe-signature': signature };
    const url = `${money.engine.web.url}/v1/webhooks/stripe`;
    expect((await fetch(url, { method: 'POST', headers, body: payload })).status).toBe(200);
    const [row] = await money.engine.database.query<{ id: string }>(
      `SELECT id FROM webhook_events WHERE event_id = '${id}'`,
    );
    return row!.id;
  }
  const eventOf = async (id: string) =>
    (
      await money.engine.database.query<{ state: string; tries: number; at: string }>(
        `SELECT state, tries, handled_at::text AS at FROM webhook_events WHERE id = '${id}'`,
      )
    )[0]!;
});

it.each(paymentProviders)('knows of what %s had no time for that it did not happen', async (provider) => {
  const order = await cancelledWithHold(provider);
  const letGo = { provider, operation: 'void', orderNumber: order.number } as const;
  const voids = async () => (await operationsOf(order)).filter(({ type }) => type === 'void');
  money.sandbox.faults.add({ ...letGo, kind: 'rate_limited', retryAfterSeconds: 0 });
  await expect(look(order)).rejects.toMatchObject({ kind: 'busy' });
  expect(await voids()).toMatchObject([{ state: 'requested' }]);
  money.sandbox.faults.add({ ...letGo, kind: 'unavailable' });
  money.sandbox.faults.add({ ...letGo, kind: 'rate_limited', retryAfterSeconds: 0 });
  await expect(look(order)).rejects.toMatchObject({ kind: 'busy' });
  expect(await voids(), 'the one before may have happened').toMatchObject([{ state: 'unknown' }]);
  await look(order);
  expect(await voids()).toMatchObject([{ state: 'succeeded' }]);
  expect(money.moved(order.number)).toEqual([hold, 'voided 240 EUR']);
});

describe('what was asked and is overtaken by something else', () => {
  const superseded = { state: 'failed', error_kind: 'superseded' };

  it('does no harm when it comes too late: a hold is let go while its checkout was to be ended', async () => {
    const order = await money.placeOnline('stripe');
    expect(await money.cancel(order.number)).toBe(200);
    const expiring = { provider: 'stripe', operation: 'checkout.expire', orderNumber: order.number } as const;
    const asked = untilMet();
    money.sandbox.faults.add({ ...expiring, kind: 'slow_before', delayMs: 1_500 });
    const looking = look(order);
    await asked();
    money.pay(order);
    expect(await looking).toBe('settled');
    const expected = [{ type: 'checkout' }, { type: 'expire', ...superseded }, { type: 'void', state: 'succeeded' }];
    expect(await operationsOf(order)).toMatchObject(expected);
    await delay(700); // the end of the checkout has been tried by now
    await look(order);
    expect(await paymentOf(order)).toMatchObject({ status: 'voided' });
    expect(money.moved(order.number)).toEqual([hold, 'voided 240 EUR']);
  });

  it('does no harm when it happened after all: money that was taken when its hold was to be let go is given back', async () => {
    const order = await paid('paypal');
    await look(order);
    const asked = untilMet();
    const slow = { provider: 'paypal', orderNumber: order.number, kind: 'slow_before', delayMs: 1_500 } as const;
    money.sandbox.faults.add({ ...slow, operation: 'capture' });
    money.sandbox.faults.add({ ...slow, operation: 'void' });
    const early = { ...deps.payments, policy: 'capture_early', marginMs: 30 * 86_400_000 } as const;
    const looking = settlePayment({ ...deps, payments: early }, (await paymentOf(order)).id).catch(() => 'not heard');
    await asked();
    expect(await money.cancel(order.number)).toBe(200);
    await looking;
    await until('the capture', () => money.moved(order.number).length === 2);
    await look(order);
    await delay(700); // the void has been tried by now
    await look(order);
    expect(money.moved(order.number)).toEqual([hold, 'captured 240 EUR', 'refunded 240 EUR']);
    expect(await paymentOf(order)).toMatchObject({ status: 'refunded' });
    expect((await operationsOf(order)).slice(2)).toMatchObject([
      { type: 'capture', ...superseded },
      { type: 'void', ...superseded },
      { type: 'refund', state: 'succeeded' },
    ]);
  });
});

it('ends a look after two questions in a row that were not heard, and looks again after 1, 2, 4 … 60 minutes', async () => {
  const order = await cancelledWithHold('stripe');
  const letGo = { provider: 'stripe', operation: 'void', orderNumber: order.number } as const;
  money.sandbox.faults.add({ ...letGo, kind: 'unavailable', times: 100 });
  for (const [failures, minutes] of [1, 2, 4].entries()) {
    await expect(look(order)).rejects.toMatchObject({ kind: 'unknown' });
    expect(askedFor(order, 'void')).toBe(2 * (failures + 1));
    expect(await paymentOf(order)).toMatchObject({
      lease_id: null,
      sync_failures: failures + 1,
      due_in_minutes: minutes,
    });
  }
  await money.engine.database.query(`UPDATE payments SET sync_failures = 40 WHERE order_number = ${order.number}`);
  await expect(look(order)).rejects.toMatchObject({ kind: 'unknown' });
  const failing = await paymentOf(order);
  expect(failing.due_in_minutes).toBe(60);
  money.sandbox.faults.clear();
  await money.engine.database.query(`UPDATE payments SET next_sync_at = now() WHERE order_number = ${order.number}`);
  await askForDueWork(deps);
  expect((await paymentOf(order)).sync_no, 'the janitor asks').toBe(failing.sync_no + 1);
  expect(await look(order)).toBe('settled');
  expect(await paymentOf(order)).toMatchObject({ status: 'voided', sync_failures: 0, due_in_minutes: null });
  expect(money.moved(order.number)).toEqual([hold, 'voided 240 EUR']);
});
