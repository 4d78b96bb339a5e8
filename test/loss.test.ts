import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { QueueStore } from '../queues/backend.ts';
import { laneQueues } from '../queues/lanes.ts';
import { type PrivateRedis, startPrivateRedis } from '../sandbox/private-redis.ts';
import { openDatabase } from '../src/db/pool.ts';
import type { Order } from '../src/domain/order.ts';
import { createLog } from '../src/log.ts';
import { rebuildLostQueues, rebuildQueues } from '../src/operations/rebuild-queues.ts';
import { relayOutbox } from '../src/operations/relay-outbox.ts';
import { sweepLostJobs } from '../src/operations/sweep-lost-jobs.ts';
import { createApi } from './support/api.ts';
import { adminHeader, backends, type Engine, startEngine } from './support/engine.ts';
import { killAll, startWebProcess, startWorkerProcess } from './support/engine-process.ts';
import { expectLanesExact, openStoreOf } from './support/lanes.ts';
import { placeInBursts, placeNoted } from './support/place-orders.ts';
import { createRandom } from './support/random.ts';
import { expectEachCompletedOnce, readTimeline, untilAllComplete, untilHandedOver } from './support/timeline.ts';
import { until } from './support/until.ts';

/** What a machine under load may take; the promise is 5 s. Without what is tested here, the sweep for lost jobs finds them after 10 s. */
const recoveryBoundMs = 9_000;
const scripted = { BOT_HANDLER: 'test/support/scripted-handler.ts' };

describe.each(backends)('a web process that dies, on %s', (backend) => {
  it('loses no order between commit and hand-over: the relay brings it to its place within 5 s, before younger ones', async () => {
    const engine = await startEngine(backend, { roles: ['relay'] });
    const dying = await startWebProcess({ ...engine.environment, TWOLANE_FAILPOINT: 'after-commit' });
    const store = openStoreOf(engine);
    try {
      const older = [await engine.api.place('vip'), await engine.api.place('normal')];
      const api = createApi(() => dying.url);
      const lost = await Promise.allSettled(
        Array.from({ length: 6 }, (_, index) => api.place(index % 2 === 0 ? 'vip' : 'normal')),
      );
      expect(lost.every(({ status }) => status === 'rejected')).toBe(true);
      expect(await dying.ended).toMatchObject({ signal: 'SIGKILL' });
      const diedAt = Date.now();
      const younger = [await engine.api.place('vip'), await engine.api.place('normal')];
      const orders = await readTimeline(engine.database);
      expect(orders.length).toBeGreaterThan(older.length + younger.length);
      const survivor = orders.find(
        ({ number }) => number > (older[1]?.number ?? 0) && number < (younger[0]?.number ?? 0),
      );
      expect(survivor, 'an order was committed by the process that died').toBeDefined();
      await expectLanesExact(engine, store, recoveryBoundMs);
      expect(Date.now() - diedAt).toBeLessThan(recoveryBoundMs);
      await engine.startWorkers(['bots']);
      await engine.api.addBot();
      await untilAllComplete(engine.database);
      expectEachCompletedOnce(await readTimeline(engine.database));
    } finally {
      await killAll([dying]);
      await store.close();
      await engine.close();
    }
  });
});

describe('Redis that loses everything', () => {
  let redis: PrivateRedis;
  let engine: Engine;
  let store: QueueStore;

  beforeEach(async () => {
    redis = await startPrivateRedis();
    engine = await startEngine('redis', {
      roles: ['relay', 'bots'],
      env: { ...scripted, REDIS_URL: redis.url, BOT_CAPACITY: '50' },
    });
    store = openStoreOf(engine);
  });
  afterEach(async () => {
    await store.close();
    await engine.close();
    await redis.stop();
  });

  async function fillLanes(): Promise<void> {
    for (let count = 0; count < 4; count++) await placeNoted(engine.api, 'vip', 'takes 4000');
    await placeInBursts(engine.api, { count: 300, random: createRandom(7), note: 'takes 1', maxPauseMs: 0 });
    await untilHandedOver(engine.database);
    for (let count = 0; count < 4; count++) await engine.api.addBot();
    await until('4 orders in hand', async () => (await engine.api.board()).counts.processing === 4);
  }

  it('has everything due back by itself within 5 s of a FLUSHALL, in order; what is in hand is finished; nothing is done twice', async () => {
    await fillLanes();
    await flushAll(redis);
    const flushedAt = performance.now();
    await expectLanesExact(engine, store, recoveryBoundMs);
    console.log(
      `FLUSHALL with 300 pending: all back in order after ${((performance.now() - flushedAt) / 1000).toFixed(2)} s`,
    );
    await untilAllComplete(engine.database);
    const timeline = await readTimeline(engine.database);
    expectEachCompletedOnce(timeline);
    expect(timeline.filter(({ attempt }) => attempt !== 1)).toEqual([]);
  });

  it('puts an order back whose bot is removed after the FLUSHALL', async () => {
    await fillLanes();
    await flushAll(redis);
    await expectLanesExact(engine, store, recoveryBoundMs);
    const removed = await engine.api.removeBot();
    expect(removed.returnedOrderNumber).not.toBeNull();
    await expectLanesExact(engine, store, recoveryBoundMs);
    await untilAllComplete(engine.database);
    expectEachCompletedOnce(await readTimeline(engine.database));
  });

  it('starts the orders of a host again that is killed together with what Redis knew of them', async () => {
    const host = await startWorkerProcess(['bots'], engine.environment);
    try {
      for (let count = 0; count < 6; count++) await engine.api.addBot();
      await until('six bots idle', async () => (await engine.api.bots()).every(({ status }) => status === 'idle'));
      const held = await Promise.all(Array.from({ length: 6 }, () => placeNoted(engine.api, 'normal', 'takes 3000')));
      await until(
        'six in hand, some of them there',
        async () => (await engine.database.query("SELECT FROM orders WHERE status = 'processing'")).length === 6,
      );
      const there = await engine.database.query<{ number: number }>(
        "SELECT o.number::int AS number FROM orders o JOIN bot_hosts h ON h.id = o.host_id WHERE h.name LIKE '%:' || $1::text",
        [host.pid],
      );
      expect(there.length).toBeGreaterThan(0);
      host.signal('SIGKILL');
      await flushAll(redis);
      const killedAt = Date.now();
      await until(
        'started again',
        async () =>
          (await Promise.all(there.map(({ number }) => engine.api.order(number)))).every(
            ({ attempt }) => attempt === 2,
          ),
        15_000,
      );
      console.log(`host killed and Redis wiped: started again after ${((Date.now() - killedAt) / 1000).toFixed(1)} s`);
      await untilAllComplete(engine.database);
      const timeline = await readTimeline(engine.database);
      expect(timeline).toHaveLength(held.length);
      expectEachCompletedOnce(timeline);
    } finally {
      await killAll([host]);
    }
  });

  it('does not trust a Redis that came back from an old dump, though it carries our marker', async () => {
    const client = new Redis(redis.url);
    for (let count = 0; count < 5; count++) await placeNoted(engine.api, count % 2 === 0 ? 'vip' : 'normal', 'takes 1');
    await expectLanesExact(engine, store, recoveryBoundMs);
    await client.save();
    client.disconnect();
    for (let count = 0; count < 20; count++)
      await placeNoted(engine.api, count % 2 === 0 ? 'vip' : 'normal', 'takes 1');
    await expectLanesExact(engine, store, recoveryBoundMs);
    await untilHandedOver(engine.database);
    await redis.restart('SIGKILL');
    await expectLanesExact(engine, store, recoveryBoundMs);
    await engine.api.addBot();
    await untilAllComplete(engine.database);
    expectEachCompletedOnce(await readTimeline(engine.database));
  });

  it('is not content with a rebuild during which Redis was wiped again', async () => {
    await engine.close();
    engine = await startEngine('redis', { roles: [], env: { REDIS_URL: redis.url } });
    await store.close();
    store = openStoreOf(engine);
    for (let count = 0; count < 6; count++) await engine.api.place(count % 2 === 0 ? 'vip' : 'normal');
    const database = await openDatabase(engine.database.url, createLog('fatal', 'test'));
    const log = createLog('fatal', 'test');
    const wipedAtTheEnd: QueueStore = {
      ...store,
      async runId() {
        await flushAll(redis);
        return store.runId();
      },
    };
    await expect(rebuildQueues({ database, store: wipedAtTheEnd, log })).rejects.toThrow(/cannot be reached/);
    expect(await rebuildLostQueues({ database, store, log })).toEqual({ vip: 3, normal: 3 });
    expect(await rebuildLostQueues({ database, store, log })).toBeNull();
    await database.close();
    await expectLanesExact(engine, store, 3_000);
  });

  it('accepts orders while Redis is away, and does them all when it comes back empty', async () => {
    await fillLanes();
    const random = createRandom(8);
    let isBack = false;
    const placing = (async () => {
      const placed: number[] = [];
      while (!isBack)
        placed.push(
          ...(await placeInBursts(engine.api, { count: 5, random, note: 'takes 1', maxPauseMs: 20 })).map(
            ({ number }) => number,
          ),
        );
      return placed;
    })();
    await new Promise((resolve) => setTimeout(resolve, 200));
    await redis.restart('SIGKILL');
    const backAt = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 500));
    isBack = true;
    const placed = await placing;
    expect(placed.length).toBeGreaterThan(20);
    await expectLanesExact(engine, store, recoveryBoundMs);
    console.log(
      `Redis killed and started empty, ${placed.length} orders placed meanwhile: all back in order after ${((performance.now() - backAt) / 1000).toFixed(2)} s`,
    );
    await untilAllComplete(engine.database);
    const timeline = await readTimeline(engine.database);
    expectEachCompletedOnce(timeline);
    expect(timeline).toHaveLength(304 + placed.length);
    expect(timeline.filter(({ attempt }) => attempt !== 1)).toEqual([]);
  });
});

describe.each(backends)('jobs that go missing, on %s', (backend) => {
  let engine: Engine;
  let store: QueueStore;

  beforeEach(async () => {
    engine = await startEngine(backend, { roles: [], env: { BOT_PROCESSING_MS: '5' } });
    store = openStoreOf(engine);
  });
  afterEach(async () => {
    await store.close();
    await engine.close();
  });

  it('adds back, in its place, a job that somebody removed by hand', async () => {
    await engine.startWorkers(['relay']);
    const orders = [];
    for (let count = 0; count < 10; count++) orders.push(await engine.api.place(count < 5 ? 'vip' : 'normal'));
    await expectLanesExact(engine, store, recoveryBoundMs);
    for (const order of [orders[1], orders[6]])
      await store.queue(laneQueues[order?.lane ?? 'vip'].name).remove(`order-${order?.number}-1`);
    const database = await openDatabase(engine.database.url, createLog('fatal', 'test'));
    const found = await sweepLostJobs(
      { database, store, log: createLog('fatal', 'test'), settledMs: 0 },
      { vip: 0, normal: 0 },
    );
    await database.close();
    expect(found).toBe(2);
    await expectLanesExact(engine, store, 3_000);
  });

  it('has the exact order after a rebuild by hand while orders arrive', async () => {
    await engine.startWorkers(['relay']);
    const random = createRandom(9);
    await placeInBursts(engine.api, { count: 200, random, note: 'x', maxPauseMs: 0 });
    // Both sides go on until each has had its share: neither is done before the other began, however fast the machine.
    let rebuilds = 0;
    let isPlacing = true;
    const placing = (async () => {
      for (let burst = 0; burst < 6 || rebuilds < 3; burst++)
        await placeInBursts(engine.api, { count: 50, random, note: 'x', maxBurst: 8, maxPauseMs: 3 });
    })().finally(() => {
      isPlacing = false;
    });
    while (isPlacing) {
      const answer = await engine.api.call('POST', '/v1/admin/queues/rebuild', { headers: adminHeader });
      expect(answer.status).toBe(200);
      rebuilds++;
    }
    await placing;
    await expectLanesExact(engine, store, recoveryBoundMs);
    await engine.startWorkers(['bots']);
    for (let count = 0; count < 8; count++) await engine.api.addBot();
    await untilAllComplete(engine.database);
    expectEachCompletedOnce(await readTimeline(engine.database));
  });

  it('sorts in what is handed over in the middle of a rebuild', async () => {
    const orders: Order[] = [];
    for (let count = 0; count < 6; count++) orders.push(await engine.api.place('normal'));
    await untilHandedOver(engine.database);
    // The process that wrote the third order brings its job just after the lane was emptied: then it stands at the end.
    const queue = store.queue(laneQueues.normal.name);
    const drain = queue.drain.bind(queue);
    queue.drain = async () => {
      await drain();
      const late = { orderNumber: orders[2]?.number ?? 0, enqueueNo: 1 };
      await queue.add('order', late, { jobId: laneQueues.normal.jobId(late) });
    };
    const database = await openDatabase(engine.database.url, createLog('fatal', 'test'));
    await rebuildQueues({ database, store, log: createLog('fatal', 'test') });
    await database.close();
    await expectLanesExact(engine, store, 3_000);
  });

  it('shares the outbox among relays: none takes what another has in hand', async () => {
    const orders = [];
    for (let count = 0; count < 4; count++) orders.push((await engine.api.place('normal')).number);
    await untilHandedOver(engine.database);
    await engine.database.query(
      `INSERT INTO outbox (queue, jobs, available_at)
       SELECT 'orders-normal', jsonb_build_array(jsonb_build_object('orderNumber', $1::bigint, 'enqueueNo', 1)), now() FROM generate_series(1, 300)`,
      [orders[0]],
    );
    const database = await openDatabase(engine.database.url, createLog('fatal', 'test'));
    const relays = [1, 2, 3].map(() => relayOutbox({ database, store, log: createLog('fatal', 'test') }));
    const shares = await Promise.all(relays);
    await database.close();
    expect(
      shares.reduce((sum, rows) => sum + rows, 0),
      `shares ${shares.join(', ')}`,
    ).toBe(300);
    await untilHandedOver(engine.database);
    await expectLanesExact(engine, store, 3_000);
  });

  it('restores the place of a job that comes late, when a relay brings it out of order', async () => {
    await engine.startWorkers(['relay']);
    await placeInBursts(engine.api, { count: 60, random: createRandom(10), note: 'x', maxPauseMs: 0 });
    await expectLanesExact(engine, store, recoveryBoundMs);
    // Late jobs of the middle, as a relay finds them: taken out, and put into the outbox again.
    const middle = (await readTimeline(engine.database)).filter(({ lane }) => lane === 'normal').slice(10, 14);
    for (const { number } of middle) await store.queue(laneQueues.normal.name).remove(`order-${number}-1`);
    await engine.database.query(
      `INSERT INTO outbox (queue, jobs, available_at) SELECT 'orders-normal', jsonb_agg(jsonb_build_object('orderNumber', n, 'enqueueNo', 1) ORDER BY n DESC), now() FROM unnest($1::bigint[]) n`,
      [middle.map(({ number }) => number)],
    );
    await untilHandedOver(engine.database);
    await expectLanesExact(engine, store, recoveryBoundMs);
  });
});

async function flushAll(redis: PrivateRedis): Promise<void> {
  const client = new Redis(redis.url);
  await client.flushall();
  client.disconnect();
}
