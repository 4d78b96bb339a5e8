import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { claimPayment, findPayment } from '../src/db/payments.ts';
import type { Order } from '../src/domain/order.ts';
import { referencesOf } from '../src/operations/ask-provider.ts';
import { LeaseLostError } from '../src/operations/lease-lost-error.ts';
import { recordSeenPayment } from '../src/operations/record-seen-payment.ts';
import { settlePayment } from '../src/operations/settle-payment.ts';
import type { ProviderPayment } from '../src/payments/payment-gateway.ts';
import { type MoneyEngine, startMoneyEngine } from './support/money.ts';
import { openSettling } from './support/settling.ts';
import { until } from './support/until.ts';

let money: MoneyEngine;
let deps: Awaited<ReturnType<typeof openSettling>>;
beforeAll(async () => {
  money = await startMoneyEngine('postgres', { roles: [], hasWebhooks: false });
  deps = await openSettling(money.engine);
});
afterAll(async () => {
  await deps.close();
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
const slowDown = ({ number: orderNumber }: Order) =>
  money.sandbox.faults.add({ provider: 'stripe', operation: 'checkout.read', kind: 'slow', delayMs: 600, orderNumber });
const isTaken = (order: Order) => until('a lease', async () => (await paymentOf(order)).lease_id);

it('has one process at a time at a payment; the other goes away, and what it came for is done', async () => {
  const order = await paid();
  const { id } = await paymentOf(order);
  slowDown(order);
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
  slowDown(order);
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

it('writes nothing down from an answer that lags behind what was heard before, and quarantines nothing for it', async () => {
  const order = await paid();
  const { id } = await paymentOf(order);
  await settlePayment(deps, id);
  const held = await readFromStripe(id);
  await money.engine.api.call('POST', `/v1/orders/${order.number}/cancel`, { as: 'manager@twolane.test', body: {} });
  await settlePayment(deps, id);
  expect(await paymentOf(order)).toMatchObject({ status: 'voided' });
  const leaseId = randomUUID();
  await claimPayment(deps.pool, id, leaseId, 10_000);
  await recordSeenPayment(deps.pool, { payment: (await findPayment(deps.pool, id))!, leaseId, seen: held });
  expect(await paymentOf(order)).toMatchObject({ status: 'voided' });
  expect(await money.engine.database.query('SELECT id FROM quarantine')).toEqual([]);
});

it('sets aside what the provider cannot mean', async () => {
  const order = await paid();
  const { id } = await paymentOf(order);
  await settlePayment(deps, id);
  const held = await readFromStripe(id);
  await money.engine.api.call('POST', `/v1/orders/${order.number}/cancel`, { as: 'manager@twolane.test', body: {} });
  await settlePayment(deps, id);
  const leaseId = randomUUID();
  await claimPayment(deps.pool, id, leaseId, 10_000);
  const capture = { reference: 'ch_late', status: 'done' as const, amount: held.authorisation!.amount };
  const payment = (await findPayment(deps.pool, id))!;
  for (let twice = 0; twice < 2; twice += 1)
    await recordSeenPayment(deps.pool, { payment, leaseId, seen: { ...held, capture } });
  expect(await paymentOf(order)).toMatchObject({ status: 'voided' });
  expect(await money.engine.database.query('SELECT kind FROM quarantine')).toEqual([{ kind: 'move_unexpected' }]);
});

it('lets go of a hold that comes into being after its order was cancelled, though nobody tells', async () => {
  const order = await money.placeOnline('paypal');
  const { id } = await paymentOf(order);
  money.pay(order);
  money.sandbox.faults.add({ provider: 'paypal', operation: 'authorise', kind: 'slow_before', delayMs: 1_500 });
  // Of this order: another one's may be left, where its process lost the lease before it read anything.
  const isAsked = () =>
    !money.sandbox.faults.waiting().some((fault) => 'operation' in fault && fault.operation === 'authorise');
  const asking = (async () => {
    while (!isAsked()) {
      await settlePayment(deps, id).catch(() => 'not heard');
      await delay(10); // after a failure elsewhere it would fail at once for ever
    }
  })();
  await until('the question', isAsked);
  await money.engine.api.call('POST', `/v1/orders/${order.number}/cancel`, { as: 'manager@twolane.test', body: {} });
  await asking;
  await settlePayment(deps, id);
  expect(money.moved(order.number), 'it is still on its way').toEqual([]);
  await until('the hold', () => money.moved(order.number).length > 0);
  const [due] = await money.engine.database.query<{ due: boolean }>(
    `SELECT next_sync_at < now() + interval '15 seconds' AS due FROM payments WHERE id = '${id}'`,
  );
  expect(due?.due, 'the janitor looks again').toBe(true);
  await settlePayment(deps, id);
  expect(money.moved(order.number)).toEqual(['authorised 240 EUR', 'voided 240 EUR']);
});

async function readFromStripe(paymentId: string): Promise<ProviderPayment> {
  const payment = await findPayment(deps.pool, paymentId);
  return deps.gateways.stripe!.read(referencesOf(payment!)!);
}
