import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { QueueStore } from '../queues/backend.ts';
import { adminHeader, backends, type Engine, startEngine } from './support/engine.ts';
import { openStoreOf } from './support/lanes.ts';
import { until } from './support/until.ts';

describe.each(backends)('a rebuild by hand on %s', (backend) => {
  let engine: Engine;
  let store: QueueStore;

  beforeAll(async () => {
    engine = await startEngine(backend, { roles: [] });
    store = openStoreOf(engine);
  });
  beforeEach(async () => {
    await store.queue('orders-vip').resume();
    await store.queue('orders-normal').resume();
  });
  afterAll(async () => {
    await store.close();
    await engine.close();
  });

  const rebuild = () =>
    engine.api.call<{ rebuilt: { vip: number; normal: number } }>('POST', '/v1/admin/queues/rebuild', {
      headers: adminHeader,
    });
  const paused = () => Promise.all(['orders-vip', 'orders-normal'].map((name) => store.queue(name).isPaused()));

  it('leaves a lane paused that somebody had paused, and no other', async () => {
    await store.queue('orders-normal').pause();
    expect((await rebuild()).status).toBe(200);
    expect(await paused()).toEqual([false, true]);
  });

  it('knows after an interrupted rebuild which lanes were paused by hand', async () => {
    await store.writeMarker('rebuilding orders-normal');
    await store.queue('orders-vip').pause();
    await store.queue('orders-normal').pause();
    expect((await rebuild()).status).toBe(200);
    expect(await paused()).toEqual([false, true]);
  });

  it('is not thrown off by a job that is no order’s', async () => {
    const numbers: number[] = [];
    for (let count = 0; count < 5; count++) numbers.push((await engine.api.place()).number);
    await until('handed over', async () => (await engine.database.query('SELECT FROM outbox')).length === 0);
    await store.queue('orders-normal').add('stray', {}, { jobId: 'hello-1' });
    expect(await rebuild()).toMatchObject({ status: 200, body: { rebuilt: { vip: 0, normal: 5 } } });
    const waiting = (await store.listWaiting('orders-normal')).filter((jobId) => jobId.startsWith('order-'));
    expect(waiting).toEqual(numbers.map((number) => `order-${number}-1`));
  });
});
