import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openQueueStore, type QueueStore } from '../queues/backend.ts';
import { LanePuller } from '../queues/lane-puller.ts';
import { laneQueues } from '../queues/lanes.ts';
import { type Lane, lanes } from '../src/domain/lane.ts';
import { createLog } from '../src/log.ts';
import { cloneDatabase, type TestDatabase } from './support/database.ts';
import { backends } from './support/engine.ts';
import { until } from './support/until.ts';

/** The puller on real queues without orders behind them: what wakes a bot, and whom. */
describe.each(backends)('the lane puller on %s', (backend) => {
  let database: TestDatabase;
  let prefix: string;
  const stores: QueueStore[] = [];
  const pullers: LanePuller[] = [];
  /** Ends work that a test holds up, also when it fails. */
  const endings: (() => void)[] = [];
  let jobs = 0;

  beforeEach(async () => {
    database = await cloneDatabase();
    prefix = `{t${randomBytes(6).toString('hex')}}`;
  });
  afterEach(async () => {
    for (const end of endings.splice(0)) end();
    await Promise.all(pullers.splice(0).map((puller) => puller.close()));
    for (const store of stores)
      for (const lane of lanes) await store.queue(laneQueues[lane].name).obliterate({ force: true });
    await Promise.all(stores.splice(0).map((store) => store.close()));
    await database.drop();
  });

  function openStore(): QueueStore {
    const redisUrl = backend === 'redis' ? (process.env.TEST_REDIS_URL ?? '') : null;
    const store = openQueueStore({ databaseUrl: database.url, redisUrl, prefix, role: 'worker', onError: () => {} });
    stores.push(store);
    return store;
  }

  /** A puller with bots that do what `work` says, and the orders that each took. */
  async function startPuller(bots: number, work: (orderNumber: number) => Promise<void> = async () => {}) {
    const taken: { orderNumber: number; at: number }[] = [];
    const puller = new LanePuller({
      name: 'test',
      store: openStore(),
      log: createLog('fatal', 'test'),
      async work(_botId, claim) {
        taken.push({ orderNumber: claim.order.orderNumber, at: performance.now() });
        await work(claim.order.orderNumber);
        return { kind: 'done' };
      },
      restorePlaces: async () => {},
    });
    pullers.push(puller);
    await puller.start();
    for (let count = 0; count < bots; count++) puller.addBot(`bot-${pullers.length}-${count}`);
    await until('all bots idle', () => puller.idleBots === bots);
    return { puller, taken };
  }

  async function add(store: QueueStore, lane: Lane): Promise<number> {
    const payload = { orderNumber: ++jobs, enqueueNo: 1 };
    await store.queue(laneQueues[lane].name).add('order', payload, { jobId: laneQueues[lane].jobId(payload) });
    return payload.orderNumber;
  }

  it('hears a lane whose bell rang while the other lane was being answered', async () => {
    const producer = openStore();
    const { puller, taken } = await startPuller(1);
    for (let round = 0; round < 30; round++) {
      // The last order of each lane leaves a ring behind that gives nothing; here both come at the same moment.
      await ringBoth(prefix);
      await delay(20); // the bells have been answered, in vain: nothing tells when
      const orderNumber = await add(producer, round % 2 === 0 ? 'normal' : 'vip');
      await until(`round ${round} taken`, () => taken.some((one) => one.orderNumber === orderNumber), 1_000);
      await until('bot idle', () => puller.idleBots === 1);
    }
    expect(taken).toHaveLength(30);
  });

  it('passes a ring on that it cannot answer: an idle process is not kept waiting by a busy one', async () => {
    const producer = openStore();
    const busyWork = new Promise<void>((resolve) => endings.push(resolve));
    const first = await startPuller(1, () => busyWork);
    const held = await add(producer, 'normal');
    await until('the first process busy', () => first.taken.length === 1);
    const second = await startPuller(1);
    for (let round = 0; round < 20; round++) {
      const orderNumber = await add(producer, round % 2 === 0 ? 'normal' : 'vip');
      await until(
        `round ${round} taken by the idle process`,
        () => second.taken.some((one) => one.orderNumber === orderNumber),
        1_000,
      );
    }
    expect(first.taken.map(({ orderNumber }) => orderNumber)).toEqual([held]);
  });

  it('shares a burst among processes: nobody is idle while orders wait', async () => {
    const producer = openStore();
    const work = () => new Promise<void>((resolve) => setTimeout(resolve, 1_500));
    const all = [await startPuller(2, work), await startPuller(2, work), await startPuller(2, work)];
    for (let round = 0; round < 3; round++) {
      const startedAt = performance.now();
      for (const lane of ['vip', 'normal', 'normal', 'vip', 'normal', 'vip'] as const) await add(producer, lane);
      await until(
        'all six taken',
        () => all.reduce((sum, { taken }) => sum + taken.length, 0) === 6 * (round + 1),
        5_000,
      );
      const latest = Math.max(...all.flatMap(({ taken }) => taken.map(({ at }) => at)));
      expect(latest - startedAt, `round ${round}: somebody waited for a bot that was busy`).toBeLessThan(1_400);
      await until('all idle', () => all.every(({ puller }) => puller.idleBots === 2), 5_000);
    }
  });

  it('finds an order by itself whose ring was lost', async () => {
    const producer = openStore();
    const { taken } = await startPuller(1);
    await addWithoutRing(producer);
    await until('the silent order taken', () => taken.length === 1, 8_000);
  });

  async function ringBoth(keyPrefix: string): Promise<void> {
    if (backend === 'redis') {
      const redis = new Redis(process.env.TEST_REDIS_URL ?? '');
      await redis.multi(lanes.map((lane) => ['zadd', `${keyPrefix}:${laneQueues[lane].name}:marker`, '0', '0'])).exec();
      redis.disconnect();
    } else {
      for (const lane of lanes) await database.query(`SELECT pg_notify('bullmq_jobs', $1)`, [laneQueues[lane].name]);
    }
  }

  /** As when a connection breaks just as it brings the ring. */
  async function addWithoutRing(store: QueueStore): Promise<void> {
    const queue = store.queue(laneQueues.normal.name);
    await queue.pause();
    await add(store, 'normal');
    if (backend === 'redis') {
      const redis = new Redis(process.env.TEST_REDIS_URL ?? '');
      await redis.hdel(`${prefix}:${laneQueues.normal.name}:meta`, 'paused');
      redis.disconnect();
    } else {
      await database.query(`DELETE FROM bullmq.meta WHERE queue = $1 AND field = 'paused'`, [laneQueues.normal.name]);
    }
  }
});
