import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Database, openDatabase } from '../src/db/pool.ts';
import type { Order } from '../src/domain/order.ts';
import { createLog } from '../src/log.ts';
import { type PaymentDeps, paymentSettingsOf } from '../src/operations/payment-deps.ts';
import { LeaseLostError } from '../src/operations/record-seen-payment.ts';
import { settlePayment } from '../src/operations/settle-payment.ts';
import { openGateways } from '../src/payments/open-gateways.ts';
import { type MoneyEngine, startMoneyEngine } from './support/money.ts';
import { until } from './support/until.ts';

let money: MoneyEngine;
let database: Database;
let deps: PaymentDeps;
beforeAll(async () => {
  money = await startMoneyEngine('postgres', { roles: [], hasWebhooks: false });
  const log = createLog('silent', 'test');
  database = await openDatabase(money.engine.config.databaseUrl, log);
  const { gateways } = openGateways(money.engine.config.payments);
  const payments = paymentSettingsOf(money.engine.config.payments);
  deps = { pool: database.pool, gateways, payments, announce: () => {}, wakeRelay: () => {}, log };
});
afterAll(async () => {
  await database.close();
  await money.close();
});

const paymentOf = async ({ number }: Order) =>
  (
    await money.engine.database.query<{ id: string; status: string; lease_id: string | null }>(
      `SELECT id, status, lease_id FROM payments WHERE order_number = ${number}`,
    )
  )[0]!;
const paid = async () => {
  const order = await money.placeOnline('stripe');
  money.pay(order);
  return order;
};
const isTaken = (order: Order) => until('a lease', async () => (await paymentOf(order)).lease_id);

it('has one process at a time at a payment; the other goes away, and what it came for is done', async () => {
  const order = await paid();
  const { id } = await paymentOf(order);
  money.sandbox.faults.add({
    provider: 'stripe',
    operation: 'checkout.read',
    kind: 'slow',
    delayMs: 600,
    orderNumber: order.number,
  });
  const first = settlePayment(deps, id);
  await isTaken(order);
  await money.engine.database.query(`UPDATE payments SET sync_no = sync_no + 1 WHERE id = '${id}'`);
  expect(await settlePayment(deps, id)).toBe('taken');
  expect(await first).toBe('settled');
  const [row] = await money.engine.database.query<{ seen: boolean }>(
    `SELECT synced_no = sync_no AS seen FROM payments WHERE id = '${id}'`,
  );
  expect(row?.seen, 'the request that came meanwhile').toBe(true);
  expect((await money.engine.api.order(order.number)).status).toBe('pending');
});

it('writes nothing of what it read before another process took over', async () => {
  const order = await paid();
  const { id } = await paymentOf(order);
  money.sandbox.faults.add({
    provider: 'stripe',
    operation: 'checkout.read',
    kind: 'slow',
    delayMs: 600,
    orderNumber: order.number,
  });
  const late = settlePayment(deps, id);
  const refused = expect(late).rejects.toBeInstanceOf(LeaseLostError);
  await isTaken(order);
  await money.engine.database.query(
    `UPDATE payments SET lease_id = gen_random_uuid(), lease_until = now() + interval '1 hour' WHERE id = '${id}'`,
  );
  await refused;
  expect(await paymentOf(order)).toMatchObject({ status: 'requires_payment' });
  expect((await money.engine.api.order(order.number)).status).toBe('awaiting_payment');
  expect((await paymentOf(order)).lease_id, 'the other’s lease stays').not.toBeNull();
});

it('goes on with what a process that died had in hand, once its lease is over', async () => {
  const order = await paid();
  const { id } = await paymentOf(order);
  await money.engine.database.query(
    `UPDATE payments SET lease_id = gen_random_uuid(), lease_until = now() + interval '300 milliseconds' WHERE id = '${id}'`,
  );
  expect(await settlePayment(deps, id)).toBe('taken');
  await delay(350);
  expect(await settlePayment(deps, id)).toBe('settled');
  expect((await money.engine.api.order(order.number)).status).toBe('pending');
});
