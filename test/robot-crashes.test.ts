import { Redis } from 'ioredis';
import pg from 'pg';
import { describe, expect, it, test } from 'vitest';
import { laneQueues } from '../queues/lanes.ts';
import { startPrivateRedis } from '../sandbox/private-redis.ts';
import { hostLeaseMs, jobLockMs, robotLeaseMs } from '../src/domain/bot.ts';
import type { Order } from '../src/domain/order.ts';
import { createApi } from './support/api.ts';
import { backends, type Engine, startEngine } from './support/engine.ts';
import { killAll, startWebProcess } from './support/engine-process.ts';
import { expectLanesExact, openStoreOf } from './support/lanes.ts';
import { startOwnPostgres } from './support/own-postgres.ts';
import { addRobotAccount, createRobot, endLeases, placeInLanes, type Robot } from './support/robot.ts';
import { expectEachCompletedOnce, readTimeline, typesOf, untilHandedOver } from './support/timeline.ts';
import { until } from './support/until.ts';

/** A machine under load may take so many times what is promised. */
const roomOnBusyMachine = 3;

async function claimed(robot: Robot, waitSeconds = 0): Promise<Order> {
  const order = await robot.claim(waitSeconds);
  if (!order) throw new Error('nothing was due');
  return order;
}

async function completeAll(engine: Engine, robot: Robot): Promise<number[]> {
  const done: number[] = [];
  await until('all complete', async () => {
    const order = await robot.claim();
    if (order && (await robot.complete(order)).status === 200) done.push(order.number);
    return (await engine.database.query("SELECT FROM orders WHERE status <> 'complete'")).length === 0;
  });
  return done;
}

/** Robots only: there is no bot host that could clear anything away. Each has an engine of its own, and they wait side by side. */
describe.each(backends)('robots that fall silent, on %s', { concurrent: true }, (backend) => {
  const it = test
    .extend('backend', backend)
    .extend('engine', async ({ backend: queues }, { onCleanup }) => {
      const engine = await startEngine(queues, { roles: ['relay'] });
      onCleanup(() => engine.close());
      return engine;
    })
    .extend('robot', ({ engine }) => createRobot(engine.api))
    .extend('other', ({ engine }) => addRobotAccount(engine.api, 'second-bot@twolane.test'))
    .extend('web', async ({ engine }, { onCleanup }) => {
      const process = await startWebProcess(engine.environment);
      onCleanup(() => killAll([process]));
      return { process, robot: createRobot(createApi(() => process.url)) };
    });

  it('give their order back in its place, VIP first, within 3 s of the end of the lease; what they say late has no effect', async ({
    engine,
    robot,
    other,
  }) => {
    const [first, second] = await placeInLanes(engine, 'normal', 'vip');
    expect((await claimed(robot)).number).toBe(second);
    const lost = await claimed(robot);
    const silentSince = Date.now();
    const [third, fourth] = await placeInLanes(engine, 'vip', 'normal');
    const store = openStoreOf(engine);
    await until('pending again', async () => (await engine.api.order(lost.number)).status === 'pending', 40_000);
    const backMs = Date.now() - silentSince;
    await expectLanesExact(engine, store, 5_000);
    console.log(`robot silent on ${backend}: its order is pending again after ${(backMs / 1000).toFixed(1)} s`);
    expect(backMs).toBeGreaterThan(robotLeaseMs - 1_000);
    expect(backMs).toBeLessThan(robotLeaseMs + roomOnBusyMachine * 3_000);
    expect((await engine.api.bots())[0]).toMatchObject({ status: 'unassigned', host: null });

    const again = await claimed(other);
    expect(again).toMatchObject({ number: second, attempt: 2 });
    for (const late of [robot.heartbeat(lost), robot.complete(lost), robot.fail(lost, 'late', false)])
      expect(await late).toMatchObject({ status: 409, body: { code: 'attempt_superseded' } });
    expect(await other.heartbeat(again), 'the second attempt is untouched').toMatchObject({ status: 200 });
    expect((await other.complete(again)).status).toBe(200);
    expect(await completeAll(engine, other)).toEqual([third, first, fourth]);
    const timeline = await readTimeline(engine.database);
    expectEachCompletedOnce(timeline);
    expect(timeline.find(({ number }) => number === second)).toMatchObject({ attempt: 2, failureCount: 1 });
    await store.close();
  }, 120_000);

  it('keep their order over many leases while they send heartbeats, and while they wait they are idle', async ({
    engine,
    robot,
    other,
  }) => {
    await placeInLanes(engine, 'normal');
    const order = await claimed(robot);
    await other.claim(); // signed in
    const waiting = other.claim(14);
    const endsAt = Date.now() + robotLeaseMs + 3_500;
    while (Date.now() < endsAt) {
      expect((await robot.heartbeat(order)).status).toBe(200);
      expect(await engine.api.bots()).toMatchObject([{ status: 'processing' }, { status: 'idle' }]);
      await new Promise((resolve) => setTimeout(resolve, robotLeaseMs / 4));
    }
    expect(await waiting).toBeNull();
    expect((await robot.complete(order)).status).toBe(200);
    expectEachCompletedOnce(await readTimeline(engine.database));
  }, 120_000);

  it('fail an order for good that outlives them too often', async ({ engine, robot }) => {
    const [number] = await placeInLanes(engine, 'normal');
    for (let attempt = 1; attempt <= 5; attempt++) {
      expect(await claimed(robot, 10)).toMatchObject({ number, attempt });
      // The relay judges robots when it has known Postgres for a whole lease of theirs.
      await endLeases(engine);
      await until('given back', async () => (await engine.api.order(number ?? 0)).status !== 'processing', 20_000);
    }
    expect(await engine.api.order(number ?? 0)).toMatchObject({
      status: 'failed',
      failureReason: 'attempts_exhausted',
    });
    expect(await robot.claim()).toBeNull();
  }, 120_000);

  it('work on when the web process is killed that gave them their order', async ({ engine, robot, web }) => {
    const { process, robot: there } = web;
    const [first, second] = await placeInLanes(engine, 'normal', 'normal');
    const order = await claimed(there);
    process.signal('SIGKILL');
    await process.ended;
    expect(order.number).toBe(first);
    expect(await claimed(robot), 'the same through another web process').toMatchObject({ number: first, attempt: 1 });
    expect((await robot.heartbeat(order)).status).toBe(200);
    expect((await robot.complete(order)).status).toBe(200);
    expect((await claimed(robot)).number).toBe(second);
    expect(typesOf((await readTimeline(engine.database))[0]!)).toEqual(['placed', 'started', 'completed']);
  }, 120_000);

  it('leave nothing behind that a killed web process had taken for them without starting it', async ({
    engine,
    other,
    web,
  }) => {
    const { process, robot: there } = web;
    const store = openStoreOf(engine);
    await there.claim();
    await other.claim(); // makes the bots' rows and opens both desks
    const [first] = await engine.database.query<{ until: string }>(
      "SELECT max(lease_until)::text AS until FROM bot_hosts WHERE name = 'robot desk'",
    );
    await until('both desks live', async () => {
      const renewed = "SELECT FROM bot_hosts WHERE name = 'robot desk' AND lease_until > $1::timestamptz";
      return (await engine.database.query(renewed, [first?.until])).length === 2;
    });
    const blocker = new pg.Client(engine.database.url);
    await blocker.connect();
    await blocker.query('BEGIN');
    await blocker.query('SELECT FROM bots WHERE number = 1 FOR UPDATE');
    const waiting = there.claim(20).catch(() => null);
    const untakenAt = Date.now();
    const [vip] = await placeInLanes(engine, 'vip');
    await until('taken', async () => (await store.listActive(laneQueues.vip.name)).length === 1);
    await placeInLanes(engine, 'normal');
    process.signal('SIGKILL');
    await process.ended;
    const killedAt = Date.now();
    await waiting;
    await blocker.query('ROLLBACK');
    await blocker.end();
    expect(await engine.api.order(vip ?? 0)).toMatchObject({ status: 'pending', attempt: 0 });
    await until('back in its lane', async () => (await store.listActive(laneQueues.vip.name)).length === 0, 30_000);
    const backMs = Date.now() - killedAt;
    console.log(`web killed with a job on ${backend}: back in its lane after ${(backMs / 1000).toFixed(1)} s`);
    expect(Date.now() - untakenAt, 'by the lease, not by the lock of the job').toBeLessThan(jobLockMs);
    await expectLanesExact(engine, store, 5_000);
    expect(await claimed(other)).toMatchObject({ number: vip, attempt: 1 });
    await store.close();
  }, 120_000);
});

describe('robots and what is away', { concurrent: true }, () => {
  it('go on with their order when Redis is wiped, and get the next one; while it is away they are told so', async () => {
    const redis = await startPrivateRedis();
    const engine = await startEngine('redis', { roles: ['relay'], env: { REDIS_URL: redis.url } });
    const store = openStoreOf(engine);
    try {
      const robot = createRobot(engine.api);
      for (const lane of ['normal', 'vip', 'normal'] as const) await engine.api.place(lane);
      await untilHandedOver(engine.database);
      const order = await claimed(robot);
      const client = new Redis(redis.url);
      await client.flushall();
      client.disconnect();
      await expectLanesExact(engine, store, 6_000);
      expect((await robot.heartbeat(order)).status).toBe(200);
      expect((await robot.complete(order)).status).toBe(200);
      const next = await claimed(robot);
      process.kill(redis.pid, 'SIGSTOP');
      expect((await robot.complete(next)).status, 'Postgres is the truth').toBe(200);
      expect(await robot.call('claim')).toMatchObject({ status: 503, body: { code: 'service_unavailable' } });
      const timeline = await readTimeline(engine.database);
      expect(timeline.map(typesOf).map((types) => types.at(-1))).toEqual(['completed', 'completed', 'placed']);
    } finally {
      process.kill(redis.pid, 'SIGCONT');
      await store.close();
      await engine.close();
      await redis.stop();
    }
  }, 120_000);

  it('keep their order when Postgres was away for longer than their lease', async () => {
    const postgres = await startOwnPostgres();
    const engine = await startEngine('postgres', { roles: ['relay', 'bots'], database: postgres.database });
    try {
      const robot = createRobot(engine.api);
      const { number } = await engine.api.place();
      const order = await claimed(robot, 10);
      expect(order.number).toBe(number);
      await postgres.restart('stop', robotLeaseMs + 1_000);
      // Long enough for hosts and relay to judge each other again, too short to judge a robot.
      await new Promise((resolve) => setTimeout(resolve, hostLeaseMs + 2_500));
      await until('a heartbeat is heard', async () => (await robot.heartbeat(order)).status === 200, 6_000);
      expect((await robot.complete(order)).status).toBe(200);
      expect((await readTimeline(engine.database)).map(typesOf)).toEqual([['placed', 'started', 'completed']]);
    } finally {
      await engine.close();
      await postgres.remove();
    }
  }, 120_000);
});
