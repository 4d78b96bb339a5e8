import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { insertHost, listHostBots, takeBots } from '../src/db/bot-hosts.ts';
import { openDatabase } from '../src/db/pool.ts';
import type { Bot } from '../src/domain/bot.ts';
import { createLog } from '../src/log.ts';
import { manager } from './support/api.ts';
import { backends, type Engine, startEngine } from './support/engine.ts';
import { type EngineProcess, killAll, startWorkerProcess } from './support/engine-process.ts';
import { placeInBursts } from './support/place-orders.ts';
import { createRandom } from './support/random.ts';
import { expectEachCompletedOnce, readTimeline, untilAllComplete } from './support/timeline.ts';
import { until } from './support/until.ts';

describe.each(backends)('hosts that share bots, on %s', (backend) => {
  let engine: Engine;
  const hosts: EngineProcess[] = [];

  beforeEach(async () => {
    engine = await startEngine(backend, {
      roles: ['relay'],
      env: { BOT_HANDLER: 'test/support/scripted-handler.ts', BOT_PROCESSING_MS: '20', BOT_CAPACITY: '6' },
    });
  });
  afterEach(async () => {
    await killAll(hosts.splice(0));
    await engine.close();
  });

  async function startHost(more: Record<string, string> = {}): Promise<EngineProcess> {
    const host = await startWorkerProcess(['bots'], { ...engine.environment, ...more });
    hosts.push(host);
    return host;
  }

  const shareOf = (bots: readonly Bot[], host: EngineProcess) =>
    bots.filter((bot) => bot.host?.endsWith(`:${host.pid}`)).length;
  const untilShares = (what: string, wanted: [EngineProcess, number][], unassigned: number) =>
    until(what, async () => {
      const bots = await engine.api.bots();
      const shares = wanted.map(([host]) => shareOf(bots, host));
      const free = bots.filter(({ status }) => status === 'unassigned').length;
      if (free === unassigned && wanted.every(([, count], index) => shares[index] === count)) return true;
      throw new Error(`shares ${shares.join(' and ')}, ${free} unassigned`);
    });

  it('gives a joining host its share, and the bots of a leaving one to the other, within their capacities', async () => {
    for (let count = 0; count < 8; count++) await engine.api.addBot();
    expect((await engine.api.bots()).map(({ status }) => status)).toEqual(
      Array.from({ length: 8 }, () => 'unassigned'),
    );
    const first = await startHost();
    await untilShares('one host has what it has room for', [[first, 6]], 2);
    const second = await startHost();
    await untilShares(
      'both have their share',
      [
        [first, 4],
        [second, 4],
      ],
      0,
    );
    first.signal('SIGTERM');
    expect(await first.ended).toEqual({ code: 0, signal: null });
    await untilShares('the other took what it has room for', [[second, 6]], 2);
    const small = await startHost({ BOT_CAPACITY: '1' });
    await untilShares(
      'a small host takes one',
      [
        [second, 6],
        [small, 1],
      ],
      1,
    );
    second.signal('SIGKILL');
    await second.ended;
    await untilShares('the bots of a killed host are unassigned when its lease has ended', [[small, 1]], 7);
  });

  it('never moves an order in hand for the sake of balance', async () => {
    for (let count = 0; count < 12; count++) await engine.api.addBot();
    await startHost({ BOT_CAPACITY: '12' });
    const placing = placeInBursts(engine.api, {
      count: 300,
      random: createRandom(21),
      note: 'takes 30-120',
      maxPauseMs: 20,
    });
    await startHost({ BOT_CAPACITY: '12' });
    await startHost({ BOT_CAPACITY: '12' });
    await placing;
    await untilAllComplete(engine.database);
    const timeline = await readTimeline(engine.database);
    expectEachCompletedOnce(timeline);
    expect(timeline.filter(({ attempt }) => attempt > 1).map(({ number, events }) => ({ number, events }))).toEqual([]);
  });

  it('never gives one bot to two hosts that ask at the same moment', async () => {
    const database = await openDatabase(engine.database.url, createLog('fatal', 'test'));
    for (let round = 0; round < 10; round++) {
      const pair = [randomUUID(), randomUUID()] as const;
      for (let count = 0; count < 6; count++) await engine.api.addBot();
      for (const id of pair) await insertHost(database.pool, { id, name: id, capacity: 3 });
      await Promise.all(pair.map((id) => takeBots(database.pool, id, 3)));
      const shares = await Promise.all(pair.map((id) => listHostBots(database.pool, id)));
      expect(shares.map((bots) => bots.length)).toEqual([3, 3]);
    }
    await database.close();
  });

  it('removes two different bots for two simultaneous requests, and as many as there are for more', async () => {
    const added = [];
    for (let count = 0; count < 3; count++) added.push((await engine.api.addBot()).number);
    const remove = () => engine.api.call<{ bot: Bot; code: string }>('DELETE', '/v1/bots/newest', { as: manager });
    const two = await Promise.all([remove(), remove()]);
    expect(two.map(({ status }) => status)).toEqual([200, 200]);
    expect(two.map(({ body }) => body.bot.number).sort()).toEqual(added.slice(1));
    const three = await Promise.all([remove(), remove(), remove()]);
    expect(three.map(({ status }) => status).sort()).toEqual([200, 404, 404]);
    expect(three.filter(({ status }) => status === 404).every(({ body }) => body.code === 'no_bots')).toBe(true);
    expect(await engine.api.bots()).toEqual([]);
  });

  it('ends consistent after 20 simultaneous additions and removals, with orders going on', async () => {
    await startHost({ BOT_CAPACITY: '40' });
    for (let count = 0; count < 10; count++) await engine.api.addBot();
    const placing = placeInBursts(engine.api, {
      count: 120,
      random: createRandom(22),
      note: 'takes 20-200',
      maxPauseMs: 10,
    });
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        engine.api.call<{ bot: Bot }>(
          index % 2 === 0 ? 'POST' : 'DELETE',
          index % 2 === 0 ? '/v1/bots' : '/v1/bots/newest',
          { as: manager },
        ),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(
      Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? 201 : 200)),
    );
    const gone = answers.flatMap(({ status, body }) => (status === 200 ? [body.bot.number] : []));
    expect(new Set(gone).size).toBe(20);
    await placing;
    const bots = await until('10 bots, all assigned', async () => {
      const all = await engine.api.bots();
      return all.length === 10 && all.every(({ status }) => status !== 'unassigned') ? all : null;
    });
    expect(bots.filter(({ number }) => gone.includes(number))).toEqual([]);
    await untilAllComplete(engine.database);
    const timeline = await readTimeline(engine.database);
    expectEachCompletedOnce(timeline);
    expect(timeline.every(({ failureCount }) => failureCount === 0)).toBe(true);
  });
});
