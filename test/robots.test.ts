import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { laneQueues } from '../queues/lanes.ts';
import type { Lane } from '../src/domain/lane.ts';
import type { Order } from '../src/domain/order.ts';
import { createLog } from '../src/log.ts';
import { type RunningWeb, startWeb } from '../src/server.ts';
import { createApi, manager, samplePassword } from './support/api.ts';
import { backends, type Engine, startEngine } from './support/engine.ts';
import { expectLanesExact, openStoreOf } from './support/lanes.ts';
import { placeInBursts } from './support/place-orders.ts';
import { createRandom } from './support/random.ts';
import { addRobotAccount, bot, claimed, createRobot, placeInLanes, type Robot, untilWaiting } from './support/robot.ts';
import { expectEachCompletedOnce, readTimeline, typesOf, untilAllComplete } from './support/timeline.ts';
import { until } from './support/until.ts';

describe.each(backends)('a robot of one’s own, on %s', (backend) => {
  let engine: Engine;
  let robot: Robot;
  const webs: RunningWeb[] = [];

  beforeEach(async () => {
    engine = await startEngine(backend, {
      roles: ['relay'],
      env: { BOT_HANDLER: 'test/support/scripted-handler.ts', BOT_PROCESSING_MS: '20' },
    });
    robot = createRobot(engine.api);
  });
  afterEach(async () => {
    await Promise.all(webs.splice(0).map((web) => web.close()));
    await engine.close();
  });

  async function startSecondWeb(): Promise<RunningWeb> {
    const web = await startWeb(engine.config, createLog('fatal', 'test'));
    webs.push(web);
    return web;
  }

  const place = (...lanes: Lane[]) => placeInLanes(engine, ...lanes);

  it('takes VIP orders first, each lane first in, first out, one at a time', async () => {
    const [normal1, vip1, normal2, vip2] = await place('normal', 'vip', 'normal', 'vip');
    expect(await engine.api.bots()).toEqual([]);
    const done: number[] = [];
    for (let order = await robot.claim(); order; order = await robot.claim()) {
      expect(order).toMatchObject({ status: 'processing', attempt: 1, botNumber: 1 });
      const [shown] = await engine.api.bots();
      expect(shown).toMatchObject({ number: 1, status: 'processing', orderNumber: order.number, host: 'robot' });
      const completed = await robot.complete(order);
      expect(completed).toMatchObject({ status: 200, body: { order: { status: 'complete' }, leaseMs: 10_000 } });
      done.push(order.number);
    }
    expect(done).toEqual([vip1, vip2, normal1, normal2]);
    expect(await engine.api.bots()).toEqual([
      { number: 1, status: 'idle', orderNumber: null, startedAt: null, host: 'robot' },
    ]);
    await until('on the board', async () => {
      const { bots, counts } = await engine.api.board();
      return bots.idle === 1 && bots.total === 1 && counts.complete === 4;
    });
    expectEachCompletedOnce(await readTimeline(engine.database));
  });

  it('is never the newest bot, and never a host’s', async () => {
    await robot.claim();
    await engine.startWorkers(['bots'], { BOT_CAPACITY: '5' });
    const hosted = await engine.api.addBot();
    await until('the hosted bot idle', async () =>
      (await engine.api.bots()).some(({ number, status }) => number === hosted.number && status === 'idle'),
    );
    expect((await engine.api.removeBot()).bot.number).toBe(hosted.number);
    expect(await engine.api.call('DELETE', '/v1/bots/newest', { as: manager })).toMatchObject({ status: 404 });
    expect(await engine.api.bots()).toMatchObject([{ status: 'idle', host: 'robot' }]);
  });

  it('is told that nothing is due: at once, or when it has waited for as long as it said', async () => {
    await robot.claim();
    const askedAt = performance.now();
    expect(await robot.claim()).toBeNull();
    expect(performance.now() - askedAt).toBeLessThan(1_800);
    const waitingSince = performance.now();
    const waiting = robot.claim(4);
    await untilWaiting(engine);
    const besideAt = performance.now();
    expect(await robot.claim(), 'beside one that waits').toBeNull();
    expect(performance.now() - besideAt).toBeLessThan(1_800);
    expect(await waiting).toBeNull();
    expect(performance.now() - waitingSince).toBeGreaterThanOrEqual(3_995);
    expect(await engine.api.bots()).toMatchObject([{ status: 'idle', host: 'robot' }]);
  });

  it('wakes for an order within three times of what a hosted bot needs', async () => {
    const samples = 15;
    const medianMs = async (take: (place: () => Promise<number>) => Promise<number>) => {
      const numbers: number[] = [];
      for (let sample = 0; sample < samples; sample++)
        numbers.push(await take(async () => (await engine.api.place(sample % 2 === 0 ? 'vip' : 'normal')).number));
      const latencies = (await readTimeline(engine.database))
        .filter(({ number }) => numbers.includes(number))
        .map(({ events }) => (events[1]?.at ?? Number.NaN) - (events[0]?.at ?? Number.NaN))
        .sort((a, b) => a - b);
      return latencies[samples >> 1] ?? Number.NaN;
    };
    const workers = await engine.startWorkers(['bots']);
    await engine.api.addBot();
    const isIdle = async () => (await engine.api.bots()).some(({ status }) => status === 'idle');
    await until('hosted bot idle', isIdle);
    const hostedMs = await medianMs(async (placeOne) => {
      const number = await placeOne();
      await until('complete', async () => (await engine.api.order(number)).status === 'complete');
      await until('idle again', isIdle);
      return number;
    });
    await workers.close();
    const robotMs = await medianMs(async (placeOne) => {
      const claiming = claimed(robot, 20);
      await delay(50); // nothing tells at once that it waits
      await placeOne();
      const order = await claiming;
      await robot.complete(order);
      return order.number;
    });
    console.log(
      `from placed to started on ${backend}, median of ${samples}: hosted bot ${hostedMs.toFixed(1)} ms, robot ${robotMs.toFixed(1)} ms`,
    );
    expect(robotMs).toBeLessThan(3 * hostedMs);
  }, 60_000);

  it('gets the same order and attempt again when the answer was lost', async () => {
    await place('vip');
    const first = await claimed(robot);
    expect(await claimed(robot), 'also with nothing due').toMatchObject({ number: first.number, attempt: 1 });
    await place('vip', 'normal');
    for (const waitSeconds of [0, 20])
      expect(await claimed(robot, waitSeconds)).toMatchObject({ number: first.number, attempt: 1 });
    const second = await startSecondWeb();
    const twin = createRobot(createApi(() => second.url));
    expect(await claimed(twin)).toMatchObject({ number: first.number, attempt: 1 });
    expect((await readTimeline(engine.database)).map(typesOf)).toEqual([['placed', 'started'], ['placed'], ['placed']]);
  });

  it('has one order in its hands after 20 claims at once at two web processes', async () => {
    const store = openStoreOf(engine);
    const second = await startSecondWeb();
    const twin = createRobot(createApi(() => second.url));
    await Promise.all([robot.claim(), twin.claim()]); // both desks are open
    for (let round = 0; round < 8; round++) {
      await place('vip', 'normal', 'vip', 'normal');
      const claims = await Promise.all(
        Array.from({ length: 20 }, (_, index) => claimed(index % 2 === 0 ? robot : twin, index % 3)),
      );
      const inHand = await engine.database.query<{ number: number }>(
        "SELECT number::int AS number FROM orders WHERE status = 'processing'",
      );
      expect(inHand).toHaveLength(1);
      expect(new Set(claims.map(({ number, attempt }) => `${number}/${attempt}`))).toEqual(
        new Set([`${inHand[0]?.number}/1`]),
      );
      await expectLanesExact(engine, store, 5_000);
      expect((await twin.complete(claims[0] as Order)).status).toBe(200);
    }
    await store.close();
  });

  it('drops a job whose order is not due any more, and looks on', async () => {
    const store = openStoreOf(engine);
    const [number = 0] = await place('vip');
    await robot.complete(await claimed(robot));
    const stale = { orderNumber: number, enqueueNo: 1 };
    await store.queue(laneQueues.vip.name).add('order', stale, { jobId: laneQueues.vip.jobId(stale) });
    expect(await robot.claim()).toBeNull();
    await expectLanesExact(engine, store, 5_000);
    await store.queue(laneQueues.vip.name).add('order', stale, { jobId: laneQueues.vip.jobId(stale) });
    const [next] = await place('normal');
    expect((await claimed(robot)).number).toBe(next);
    await expectLanesExact(engine, store, 5_000);
    await store.close();
  });

  it('hears within a second of an order that another web process started for it', async () => {
    const second = await startSecondWeb();
    const twin = createRobot(createApi(() => second.url));
    await twin.claim();
    // Both wait; the order wakes one of them, and the other request is the one whose answer counts.
    const both = Promise.all([claimed(robot, 20), claimed(twin, 20)]);
    await untilWaiting(engine, bot, 2);
    const placedAt = performance.now();
    await place('normal');
    const [one, other] = await both;
    expect(one.number).toBe(other.number);
    expect(performance.now() - placedAt).toBeLessThan(6_000); // else they wait for their 20 s
  });

  it('shares orders with another robot and with hosted bots: each is completed once, none is lost', async () => {
    const other = await addRobotAccount(engine.api, 'second-bot@twolane.test');
    await engine.startWorkers(['bots']);
    for (let count = 0; count < 2; count++) await engine.api.addBot();
    let isOver = false;
    const workUntilOver = async (one: Robot) => {
      let done = 0;
      while (!isOver) {
        const order = await one.claim(1);
        if (!order) continue;
        expect((await one.heartbeat(order)).status).toBe(200);
        expect((await one.complete(order)).status).toBe(200);
        done += 1;
      }
      return done;
    };
    const working = Promise.all([workUntilOver(robot), workUntilOver(other)]);
    await placeInBursts(engine.api, { count: 60, random: createRandom(31), note: 'takes 20-60', maxPauseMs: 30 });
    await untilAllComplete(engine.database);
    isOver = true;
    const shares = await working;
    const timeline = await readTimeline(engine.database);
    expect(timeline).toHaveLength(60);
    expectEachCompletedOnce(timeline);
    expect(timeline.every(({ attempt }) => attempt === 1)).toBe(true);
    console.log(`60 orders on ${backend}: robots ${shares.join(' and ')}, hosted bots the rest`);
    for (const share of shares) expect(share).toBeGreaterThan(0);
    expect(shares[0] + shares[1]).toBeLessThan(60);
  });

  it('takes nothing any more once it has hung up', async () => {
    const other = await addRobotAccount(engine.api, 'second-bot@twolane.test');
    await other.claim();
    for (let round = 0; round < 3; round++) {
      const hangUp = new AbortController();
      const waiting = fetch(new URL('/v1/bots/self/claim?wait=20', engine.web.url), {
        method: 'POST',
        headers: { authorization: `Bearer ${await engine.api.tokenOf(bot)}` },
        signal: hangUp.signal,
      });
      await untilWaiting(engine);
      hangUp.abort();
      await expect(waiting).rejects.toThrow();
      const [number] = await place('normal');
      const order = await claimed(other, 5);
      expect(order.number).toBe(number);
      await other.complete(order);
    }
  });

  it('takes nothing any more once it is signed out, also while it waits', async () => {
    const body = { email: bot, password: samplePassword };
    const { body: signedIn } = await engine.api.call<{ accessToken: string; refreshToken: string }>(
      'POST',
      '/v1/auth/login',
      { body },
    );
    const headers = { authorization: `Bearer ${signedIn.accessToken}` };
    const waiting = engine.api.call('POST', '/v1/bots/self/claim?wait=20', { headers });
    await untilWaiting(engine);
    await engine.api.call('POST', '/v1/auth/logout', { body: { refreshToken: signedIn.refreshToken } });
    const signedOutAt = performance.now();
    expect((await waiting).status).toBe(204);
    expect(performance.now() - signedOutAt).toBeLessThan(6_000);
    await place('normal');
    expect((await engine.api.call('POST', '/v1/bots/self/claim', { headers })).status).toBe(401);
  });

  it('is told that nothing is due when its web process closes', async () => {
    const second = await startSecondWeb();
    const waiting = createRobot(createApi(() => second.url)).call('claim?wait=20');
    await untilWaiting(engine);
    const closedAt = performance.now();
    await Promise.all(webs.splice(0).map((web) => web.close()));
    expect((await waiting).status).toBe(204);
    expect(performance.now() - closedAt).toBeLessThan(6_000);
    const [number] = await place('normal');
    expect((await claimed(robot)).number).toBe(number);
  });
});
