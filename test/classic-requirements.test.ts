import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backends, type Engine, startEngine } from './support/engine.ts';
import { until } from './support/until.ts';

const processingMs = 300;

/** The seven requirements that every engine of this kind must meet, through HTTP. */
describe.each(backends)('the classic requirements on %s', (backend) => {
  let engine: Engine;

  beforeEach(async () => {
    engine = await startEngine(backend, { env: { BOT_PROCESSING_MS: String(processingMs) } });
  });
  afterEach(() => engine.close());

  const pending = async () => (await engine.api.board()).pending.map(({ number }) => number);
  const status = async (number: number) => (await engine.api.order(number)).status;
  const untilStatus = (number: number, wanted: string) =>
    until(`order ${number} ${wanted}`, async () => (await status(number)) === wanted);

  it('puts a new normal order into PENDING', async () => {
    const order = await engine.api.place('normal');
    expect(order).toMatchObject({ lane: 'normal', status: 'pending', total: { amountMinor: 240, currency: 'EUR' } });
    expect(await pending()).toEqual([order.number]);
  });

  it('puts a VIP order ahead of all normal ones and behind earlier VIP ones', async () => {
    const placed = [];
    for (const lane of ['normal', 'vip', 'normal', 'vip'] as const) placed.push((await engine.api.place(lane)).number);
    const [normal1, vip1, normal2, vip2] = placed;
    expect(await pending()).toEqual([vip1, vip2, normal1, normal2]);
    expect((await engine.api.order(vip2 ?? 0)).position).toBe(1);
    expect((await engine.api.order(normal2 ?? 0)).position).toBe(3);
  });

  it('gives order numbers that are unique and increasing', async () => {
    const orders = await Promise.all(
      Array.from({ length: 60 }, (_, index) => engine.api.place(index % 3 === 0 ? 'vip' : 'normal')),
    );
    const later = [(await engine.api.place()).number, (await engine.api.place('vip')).number];
    const numbers = orders.map((order) => order.number);
    expect(new Set(numbers).size).toBe(60);
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(1001);
    expect(later[0]).toBeGreaterThan(Math.max(...numbers));
    expect(later[1]).toBeGreaterThan(later[0] ?? 0);
  });

  it('lets a new bot take a pending order at once, finish it after its time, then take the next', async () => {
    const first = await engine.api.place();
    const second = await engine.api.place();
    const bot = await engine.api.addBot();
    const addedAt = Date.now();
    await untilStatus(first.number, 'processing');
    expect(Date.now() - addedAt).toBeLessThan(1_500);
    expect(await status(second.number)).toBe('pending');
    await untilStatus(second.number, 'complete');
    const done = await engine.api.order(first.number);
    expect(done).toMatchObject({ status: 'complete', botNumber: bot.number, attempt: 1 });
    const took = Date.parse(done.completedAt ?? '') - Date.parse(done.startedAt ?? '');
    expect(took).toBeGreaterThanOrEqual(processingMs - 5);
    expect(took).toBeLessThan(processingMs + 1_500);
    const next = await engine.api.order(second.number);
    expect(Date.parse(next.startedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(done.completedAt ?? ''));
    expect((await engine.api.events(first.number)).map((event) => event.type)).toEqual([
      'placed',
      'started',
      'completed',
    ]);
  });

  it('keeps a bot idle without orders until one comes', async () => {
    await engine.api.addBot();
    await until('bot idle', async () => (await engine.api.bots())[0]?.status === 'idle');
    const order = await engine.api.place('vip');
    await untilStatus(order.number, 'processing');
    const started = await engine.api.order(order.number);
    expect(Date.parse(started.startedAt ?? '') - Date.parse(order.placedAt)).toBeLessThan(1_500);
    await untilStatus(order.number, 'complete');
    await until('bot idle again', async () => (await engine.api.bots())[0]?.status === 'idle');
  });

  it('destroys the newest bot, whose order is PENDING again in its place and is done by another', async () => {
    const [first, second, third] = [await engine.api.place(), await engine.api.place(), await engine.api.place()];
    const older = await engine.api.addBot();
    await untilStatus(first.number, 'processing');
    const newest = await engine.api.addBot();
    await untilStatus(second.number, 'processing');
    const removed = await engine.api.removeBot();
    expect(removed).toMatchObject({ bot: { number: newest.number }, returnedOrderNumber: second.number });
    expect(await pending()).toEqual([second.number, third.number]);
    await untilStatus(third.number, 'complete');
    expect(await engine.api.order(second.number)).toMatchObject({
      status: 'complete',
      botNumber: older.number,
      attempt: 2,
      failureReason: null,
    });
    expect((await engine.api.events(second.number)).map((event) => event.type)).toEqual([
      'placed',
      'started',
      'given_back',
      'started',
      'completed',
    ]);
    const starts = [first, second, third].map(async ({ number }) =>
      Date.parse((await engine.api.order(number)).startedAt ?? ''),
    );
    const [, startedSecond = 0, startedThird = 0] = await Promise.all(starts);
    expect(startedSecond).toBeLessThan(startedThird);
  });

  it('removes an idle bot without touching any order', async () => {
    await engine.api.addBot();
    await until('bot idle', async () => (await engine.api.bots())[0]?.status === 'idle');
    expect(await engine.api.removeBot()).toMatchObject({ returnedOrderNumber: null });
    expect(await engine.api.bots()).toEqual([]);
    expect((await engine.api.call('DELETE', '/v1/bots/newest', { as: 'manager@twolane.test' })).body).toMatchObject({
      code: 'no_bots',
    });
  });
});
