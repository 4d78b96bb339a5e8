import { afterEach, describe, expect, it } from 'vitest';
import { backends, type Engine, startEngine } from './support/engine.ts';
import { type EngineProcess, killAll, startWorkerProcess } from './support/engine-process.ts';
import { recordLanes, waitsInLane } from './support/lane-record.ts';
import { placeInBursts, placeNoted } from './support/place-orders.ts';
import { createRandom } from './support/random.ts';
import {
  expectEachCompletedOnce,
  findOvertakings,
  readTimeline,
  untilAllComplete,
  untilHandedOver,
  waitsInDatabase,
  widestOf,
} from './support/timeline.ts';
import { until } from './support/until.ts';

const seed = Number(process.env.TEST_SEED ?? 20_260_731);
/** By the queue store's own record: a look at both lanes is two trips, and bots of three processes take side by side. */
const laneWindowMs = 150;
/** By the rows of Postgres: an order is written before its job is in the lane, and a start after its job was claimed. */
const rowWindowMs = 400;
const orderCount = 1_000;

describe.each(backends)('strictness on %s', (backend) => {
  let engine: Engine;
  const hosts: EngineProcess[] = [];

  afterEach(async () => {
    await killAll(hosts.splice(0));
    await engine.close();
  });

  it(`does ${orderCount} orders on 3 hosts × 5 bots, VIP before normal, each lane in order, each order once`, async () => {
    engine = await startEngine(backend, {
      roles: ['relay'],
      env: { BOT_CAPACITY: '5', BOT_HANDLER: 'test/support/scripted-handler.ts' },
    });
    hosts.push(...(await Promise.all([1, 2, 3].map(() => startWorkerProcess(['bots'], engine.environment)))));
    for (let count = 0; count < 15; count++) await engine.api.addBot();
    await until(
      '15 bots idle',
      async () => (await engine.api.bots()).filter(({ status }) => status === 'idle').length === 15,
    );

    const record = recordLanes(engine);
    await placeInBursts(engine.api, { count: orderCount, random: createRandom(seed), note: 'takes 20-60' });
    await untilAllComplete(engine.database);

    const timeline = await readTimeline(engine.database);
    const lane = waitsInLane(await record.stop(), timeline);
    const rows = waitsInDatabase(timeline);
    const atOnce = { lane: findOvertakings(lane, 0), rows: findOvertakings(rows, 0) };
    console.log(
      `strictness on ${backend}, seed ${seed}, ${orderCount} orders: by the lanes ${atOnce.lane.length} pairs out of order at 0 ms, none beyond ${widestOf(atOnce.lane)} ms; ` +
        `by the rows ${atOnce.rows.length}, none beyond ${widestOf(atOnce.rows)} ms; longest wait ${Math.round(Math.max(...rows.map(({ from, to }) => to - from)))} ms`,
    );
    expect(lane).toHaveLength(orderCount);
    expect(findOvertakings(lane, laneWindowMs)).toEqual([]);
    expect(findOvertakings(rows, rowWindowMs)).toEqual([]);
    expect(timeline).toHaveLength(orderCount);
    expectEachCompletedOnce(timeline);
    expect(timeline.filter(({ attempt }) => attempt !== 1)).toEqual([]);
    const perBot = await engine.database.query<{ orders: number }>(
      'SELECT count(*)::int AS orders FROM orders GROUP BY bot_number',
    );
    expect(perBot).toHaveLength(15);
  }, 90_000);

  it('starts a lane that was filled beforehand in exactly its order, VIP first, with one bot', async () => {
    engine = await startEngine(backend, { env: { BOT_PROCESSING_MS: '0' } });
    const random = createRandom(seed + 1);
    for (let count = 0; count < 60; count++) await engine.api.place(random() < 0.4 ? 'vip' : 'normal');
    await engine.api.addBot();
    await untilAllComplete(engine.database);
    const timeline = await readTimeline(engine.database);
    const expected = timeline
      .toSorted((a, b) => (a.lane === b.lane ? a.dueSeq - b.dueSeq : a.lane === 'vip' ? -1 : 1))
      .map(({ number }) => number);
    const started = timeline
      .toSorted((a, b) => (a.events[1]?.at ?? 0) - (b.events[1]?.at ?? 0))
      .map(({ number }) => number);
    expect(started).toEqual(expected);
    expect(findOvertakings(waitsInDatabase(timeline), 0)).toEqual([]);
  });

  it('looks anew after each order with one bot: whatever came meanwhile is started in exactly its order, no window', async () => {
    engine = await startEngine(backend, { env: { BOT_HANDLER: 'test/support/scripted-handler.ts' } });
    await engine.api.addBot();
    const random = createRandom(seed + 3);
    const lane = () => (random() < 0.4 ? 'vip' : 'normal');
    for (let round = 0; round < 4; round++) {
      const held = await placeNoted(engine.api, lane(), 'takes 1000');
      await until('the bot at work', async () => (await engine.api.order(held.number)).status === 'processing');
      for (let count = 0; count < 15; count++) await placeNoted(engine.api, lane(), 'takes 1');
      await untilHandedOver(engine.database);
      expect((await engine.api.order(held.number)).status).toBe('processing');
    }
    await untilAllComplete(engine.database);
    const timeline = await readTimeline(engine.database);
    expectEachCompletedOnce(timeline);
    expect(findOvertakings(waitsInDatabase(timeline), 0)).toEqual([]);
  });

  it('wakes an idle bot for every single order, whichever lane rings', async () => {
    engine = await startEngine(backend, { env: { BOT_PROCESSING_MS: '0' } });
    await engine.api.addBot();
    await until('bot idle', async () => (await engine.api.bots())[0]?.status === 'idle');
    const random = createRandom(seed + 2);
    let slowest = 0;
    for (let round = 0; round < 150; round++) {
      const lanes =
        random() < 0.5 ? (['vip', 'normal'] as const) : random() < 0.5 ? (['vip'] as const) : (['normal'] as const);
      const placedAt = performance.now();
      const numbers = await Promise.all(
        lanes.map(async (lane) => (await placeNoted(engine.api, lane, 'at once')).number),
      );
      await until(
        `orders ${numbers.join(', ')} (${lanes.join(' and ')}) of round ${round} complete`,
        async () =>
          (
            await engine.database.query('SELECT FROM orders WHERE number = ANY ($1) AND status = $2', [
              numbers,
              'complete',
            ])
          ).length === numbers.length,
        1_500,
      );
      slowest = Math.max(slowest, performance.now() - placedAt);
    }
    console.log(`an idle bot on ${backend}: slowest of 150 rounds from request to complete ${Math.round(slowest)} ms`);
  });
});
