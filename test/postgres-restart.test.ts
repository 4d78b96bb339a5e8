import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { normal, vip } from './support/api.ts';
import { backends, type Engine, startEngine } from './support/engine.ts';
import { type EngineProcess, killAll, startWorkerProcess } from './support/engine-process.ts';
import { type OwnPostgres, startOwnPostgres } from './support/own-postgres.ts';
import { expectEachCompletedOnce, readTimeline, untilAllComplete } from './support/timeline.ts';
import { until } from './support/until.ts';

describe.each(backends)('Postgres that is restarted under load, on %s', (backend) => {
  let postgres: OwnPostgres;
  let engine: Engine;
  const hosts: EngineProcess[] = [];

  beforeEach(async () => {
    postgres = await startOwnPostgres();
    engine = await startEngine(backend, {
      roles: ['relay'],
      database: postgres.database,
      env: { BOT_HANDLER: 'test/support/scripted-handler.ts', BOT_CAPACITY: '5' },
    });
    hosts.push(
      await startWorkerProcess(['bots'], engine.environment),
      await startWorkerProcess(['bots'], engine.environment),
    );
    for (let count = 0; count < 10; count++) await engine.api.addBot();
  });
  afterEach(async () => {
    await killAll(hosts.splice(0));
    await engine.close();
    await postgres.remove();
  });

  it.each([
    ['stop', 300],
    ['kill', 300],
    ['stop', 5_000],
  ] as const)(
    'does everything that is due in the end after a %s of %i ms, each order once; no answer lies',
    async (how, awayMs) => {
      const accepted = new Set<number>();
      const answers = new Map<number, number>();
      let isOver = false;
      const customer = async (name: string) => {
        for (let count = 0; !isOver; count++) {
          const options = {
            as: count % 3 === 0 ? vip : normal,
            body: { items: [{ sku: 'espresso', quantity: 1 }], payment: { method: 'counter' }, note: 'takes 300-900' },
            headers: { 'idempotency-key': `${name}-${count}` },
          };
          let repliedWith = 0;
          for (let tries = 0; repliedWith !== 201 && repliedWith !== 200; tries++) {
            if (tries > 0) await new Promise((resolve) => setTimeout(resolve, 150));
            const answer = await engine.api.call<{ order: { number: number }; code: string; status: number }>(
              'POST',
              '/v1/orders',
              options,
            );
            repliedWith = answer.status;
            answers.set(repliedWith, (answers.get(repliedWith) ?? 0) + 1);
            if (repliedWith === 200 || repliedWith === 201) accepted.add(answer.body.order.number);
            else
              expect(answer.body).toMatchObject({
                status: repliedWith,
                code: expect.stringMatching(/^(service_unavailable|internal_error)$/),
              });
            if (tries > 200) throw new Error('no answer but refusals');
          }
          await new Promise((resolve) => setTimeout(resolve, 60));
        }
      };
      const customers = Promise.all(['anna', 'ben', 'carl'].map(customer));
      await until(
        'orders in hand',
        async () => (await engine.database.query("SELECT FROM orders WHERE status = 'processing'")).length >= 5,
        30_000,
      );
      await postgres.restart(how, awayMs);
      const backAt = performance.now();
      await new Promise((resolve) => setTimeout(resolve, 700));
      isOver = true;
      await customers;
      await untilAllComplete(engine.database);
      const timeline = await readTimeline(engine.database);
      const again = timeline.filter(({ attempt }) => attempt > 1);
      console.log(
        `Postgres on ${backend}: ${how}, away ${awayMs} ms: answers ${JSON.stringify(Object.fromEntries(answers))}, ${timeline.length} orders, ${again.length} started again, ` +
          `all done ${((performance.now() - backAt) / 1000).toFixed(1)} s after it was back`,
      );
      expectEachCompletedOnce(timeline);
      expect([...accepted].sort((a, b) => a - b)).toEqual(timeline.map(({ number }) => number));
      expect(again.map(({ number, events }) => ({ number, events }))).toEqual([]);
      expect([...answers.keys()].every((status) => status === 200 || status === 201 || status >= 500)).toBe(true);
    },
    120_000,
  );
});
