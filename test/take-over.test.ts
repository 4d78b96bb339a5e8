import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { insertHost } from '../src/db/bot-hosts.ts';
import { reapDeadHosts, takeOverOrder } from '../src/db/order-returns.ts';
import { type Database, openDatabase } from '../src/db/pool.ts';
import { createLog } from '../src/log.ts';
import { type Engine, startEngine } from './support/engine.ts';
import { readTimeline, typesOf } from './support/timeline.ts';

let engine: Engine;
let database: Database;

beforeAll(async () => {
  engine = await startEngine('postgres', { roles: [] });
  database = await openDatabase(engine.database.url, createLog('fatal', 'test'));
});
afterAll(async () => {
  await database.close();
  await engine.close();
});

/** An order in the hands of a host, after so many failures. */
async function placeInHands(lease: 'ended' | 'running', failures: number): Promise<number> {
  const { number } = await engine.api.place();
  const hostId = randomUUID();
  await insertHost(database.pool, { id: hostId, name: 'former', capacity: 1 });
  if (lease === 'ended')
    await engine.database.query("UPDATE bot_hosts SET lease_until = now() - interval '1 ms' WHERE id = $1", [hostId]);
  await engine.database.query(
    `UPDATE orders SET status = 'processing', attempt = $2 + 1, failure_count = $2, started_at = now(), bot_id = gen_random_uuid(), bot_number = 1, host_id = $3 WHERE number = $1`,
    [number, failures, hostId],
  );
  return number;
}

const takeOver = (orderNumber: number, enqueueNo = 1) =>
  takeOverOrder(database.pool, {
    orderNumber,
    enqueueNo,
    botId: randomUUID(),
    botNumber: 2,
    hostId: randomUUID(),
    expectedMs: null,
    maxAttempts: 5,
  });
const read = async (number: number) => (await readTimeline(engine.database)).find((order) => order.number === number);

it('starts the order of a dead host with the next attempt, and counts the failure', async () => {
  const number = await placeInHands('ended', 3);
  expect(await takeOver(number)).toEqual({ attempt: 5, status: 'processing' });
  const order = await read(number);
  expect(order).toMatchObject({ status: 'processing', attempt: 5, failureCount: 4 });
  expect(order && typesOf(order)).toEqual(['placed', 'given_back', 'started']);
});

it('fails the order when that was its last attempt', async () => {
  const number = await placeInHands('ended', 4);
  expect(await takeOver(number)).toEqual({ attempt: 5, status: 'failed' });
  expect(await read(number)).toMatchObject({ status: 'failed', failureReason: 'attempts_exhausted', failureCount: 5 });
});

it('leaves the order of a living host alone, and one that its job does not name any more', async () => {
  expect(await takeOver(await placeInHands('running', 0))).toBeNull();
  expect(await takeOver(await placeInHands('ended', 0), 2)).toBeNull();
});

it('gives back what dead hosts hold, once, with jobs in the outbox; what living ones hold stays', async () => {
  await reapDeadHosts(database.pool, 5);
  const [lost, last, kept] = [
    await placeInHands('ended', 1),
    await placeInHands('ended', 4),
    await placeInHands('running', 0),
  ];
  await engine.database.query('DELETE FROM outbox');
  const both = await Promise.all([reapDeadHosts(database.pool, 5), reapDeadHosts(database.pool, 5)]);
  expect(
    both
      .flat()
      .map(({ orderNumber }) => orderNumber)
      .sort(),
  ).toEqual([lost, last]);
  expect(await read(lost)).toMatchObject({ status: 'pending', failureCount: 2 });
  expect(await read(last)).toMatchObject({ status: 'failed', failureReason: 'attempts_exhausted' });
  expect(await read(kept)).toMatchObject({ status: 'processing', failureCount: 0 });
  const boxed = await engine.database.query<{ jobs: unknown }>('SELECT jobs FROM outbox');
  expect(boxed.map(({ jobs }) => jobs)).toEqual([[{ orderNumber: lost, enqueueNo: 1 }]]);
  expect(await engine.database.query('SELECT FROM bot_hosts WHERE lease_until < now()')).toEqual([]);
});
