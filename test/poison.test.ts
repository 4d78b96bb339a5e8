import { describe, expect, it } from 'vitest';
import { backends, startEngine } from './support/engine.ts';
import { type EngineProcess, killAll, startWorkerProcess } from './support/engine-process.ts';
import { placeNoted } from './support/place-orders.ts';
import { readTimeline, typesOf } from './support/timeline.ts';
import { until } from './support/until.ts';

/** Most of the time a lease runs out: both wait side by side. */
describe.each(backends)('an order that kills its host, on %s', { concurrent: true }, (backend) => {
  it('fails at the fifth time instead of going round for ever, and the others are done', async () => {
    const engine = await startEngine(backend, {
      roles: ['relay'],
      env: { BOT_CAPACITY: '1', BOT_HANDLER: 'test/support/scripted-handler.ts', BOT_PROCESSING_MS: '20' },
    });
    let host: EngineProcess | undefined;
    let isOver = false;
    const respawning = (async () => {
      while (!isOver) {
        host = await startWorkerProcess(['bots'], engine.environment).catch(() => undefined); // killed before it said that it was ready
        await host?.ended;
      }
    })();
    try {
      await engine.api.addBot();
      const poison = await placeNoted(engine.api, 'vip', 'kills its host');
      const others = await Promise.all(Array.from({ length: 4 }, () => engine.api.place('normal')));
      const status = async (number: number) => (await engine.api.order(number)).status;
      await until('the poisonous order failed', async () => (await status(poison.number)) === 'failed', 120_000);
      await until(
        'the others complete',
        async () => (await Promise.all(others.map(({ number }) => status(number)))).every((one) => one === 'complete'),
        30_000,
      );
      expect(await engine.api.order(poison.number)).toMatchObject({ failureReason: 'attempts_exhausted', attempt: 5 });
      const order = (await readTimeline(engine.database)).find(({ number }) => number === poison.number);
      expect(order?.failureCount).toBe(5);
      expect(order && typesOf(order).filter((type) => type === 'started')).toHaveLength(5);
      expect(order?.events.at(-1)).toMatchObject({ type: 'failed', reason: 'attempts_exhausted' });
    } finally {
      isOver = true;
      if (host) await killAll([host]);
      await respawning;
      await engine.close();
    }
  }, 180_000);
});
