import { Redis } from 'ioredis';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { laneQueues } from '../queues/lanes.ts';
import { startPrivateRedis } from '../sandbox/private-redis.ts';
import { hostLeaseMs, robotLeaseMs } from '../src/domain/bot.ts';
import type { Lane } from '../src/domain/lane.ts';
import type { Order } from '../src/domain/order.ts';
import { createApi } from './support/api.ts';
import { backends, type Engine, startEngine } from './support/engine.ts';
import { type EngineProcess, killAll, startWebProcess } from './support/engine-process.ts';
import { expectLanesExact, openStoreOf } from './support/lanes.ts';
import { startOwnPostgres } from './support/own-postgres.ts';
import { addRobotAccount, createRobot, endLeases, placeInLanes, type Robot } from './support/robot.ts';
import { expectEachCompletedOnce, readTimeline, typesOf, untilHandedOver } from './support/timeline.ts';
import { until } from './support/until.ts';

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

/** Robots only: there is no bot host that could clear anything away. */
describe.each(backends)('robots that fall silent, on %s', (backend) => {
  let engine: Engine;
  let robot: Robot;
  let other: Robot;
  const processes: EngineProcess[] = [];

  beforeEach(async () => {
    engine = await startEngine(backend, { roles: ['relay'] });
    robot = createRobot(engine.api);
    other = await addRobotAccount(engine.api, 'second-bot@twolane.test');
  });
  afterEach(async () => {
    await killAll(processes.splice(0));
    await engine.close();
  });

  const place = (...lanes: Lane[]) => placeInLanes(engine, ...lanes);
  async function startWeb(): Promise<{ process: EngineProcess; robot: Robot }> {
    const process = await startWebProcess(engine.environment);
    processes.push(process);
    return { process, robot: createRobot(createApi(() => process.url)) };
  }

  it('give their order back in its place, VIP first, within 3 s of the end of the lease; what they say late has no effect', async () => {
    const [first, second] = await place('normal', 'vip');
    expect((await claimed(robot)).number).toBe(second);
    const lost = await claimed(robot);
    const silentSince = Date.now();
    const [third, fourth] = await place('vip', 'normal');
    const store = openStoreOf(engine);
    await until('pending again', async () => (await engine.api.order(lost.number)).status === 'pending', 20_000);
    const backMs = Date.now() - silentSince;
    await expectLanesExact(engine, store, 2_000);
    console.log(`robot silent on ${backend}: its order is pending again after ${(backMs / 1000).toFixed(1)} s`);
    expect(backMs).toBeGreaterThan(robotLeaseMs - 1_000);
    expect(backMs).toBeLessThan(robotLeaseMs + 3_000);
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
  }, 60_000);

  it('keep their order over many leases while they send heartbeats, and while they wait they are idle', async () => {
    await place('normal');
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
  }, 60_000);

  it('fail an order for good that outlives them too often', async () => {
    const [number] = await place('normal');
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
  }, 60_000);

  it('work on when the web process is killed that gave them their order', async () => {
    const { process, robot: there } = await startWeb();
    const [first, second] = await place('normal', 'normal');
    const order = await claimed(there);
    process.signal('SIGKILL');
    await process.ended;
    expect(order.number).toBe(first);
    expect(await claimed(robot), 'the same through another web process').toMatchObject({ number: first, attempt: 1 });
    expect((await robot.heartbeat(order)).status).toBe(200);
    expect((await robot.complete(order)).status).toBe(200);
    expect((await claimed(robot)).number).toBe(second);
    expect(typesOf((await readTimeline(engine.database))[0]!)).toEqual(['placed', 'started', 'completed']);
  });

  it('leave nothing behind that a killed web process had taken for them without starting it', async () => {
    const store = openStoreOf(engine);
    const { process, robot: there } = await startWeb();
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
    const [vip] = await place('vip');
    await until('taken', async () => (await store.listActive(laneQueues.vip.name)).length === 1);
    await place('normal');
    process.signal('SIGKILL');
    await process.ended;
    const killedAt = Date.now();
    await waiting;
    await blocker.query('ROLLBACK');
    await blocker.end();
    expect(await engine.api.order(vip ?? 0)).toMatchObject({ status: 'pending', attempt: 0 });
    await until('back in its lane', async () => (await store.listActive(laneQueues.vip.name)).length === 0, 15_000);
    const backMs = Date.now() - killedAt;
    console.log(`web killed with a job on ${backend}: back in its lane after ${(backMs / 1000).toFixed(1)} s`);
    expect(backMs, 'by the lease, not by the lock of the job').toBeLessThan(7_000);
    await expectLanesExact(engine, store, 2_000);
    expect(await claimed(other)).toMatchObject({ number: vip, attempt: 1 });
    await store.close();
  }, 60_000);
});

describe('robots and what is away', () => {
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
  }, 60_000);

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
  }, 90_000);
});
