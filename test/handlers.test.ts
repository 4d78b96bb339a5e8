import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { laneQueues } from '../queues/lanes.ts';
import { orderJobId } from '../queues/order-job.ts';
import type { Order } from '../src/domain/order.ts';
import { signBody } from '../workers/bots/handlers/http.ts';
import { manager, normal, type Problem } from './support/api.ts';
import { adminHeader, backends, type Engine, startEngine } from './support/engine.ts';
import { openStoreOf } from './support/lanes.ts';
import { placeNoted } from './support/place-orders.ts';
import { readTimeline, type TimelineOrder, typesOf, untilHandedOver } from './support/timeline.ts';
import { until } from './support/until.ts';

const statusOf = async (engine: Engine, number: number) => (await engine.api.order(number)).status;
const untilStatus = (engine: Engine, number: number, wanted: string, timeoutMs = 15_000) =>
  until(`order ${number} ${wanted}`, async () => (await statusOf(engine, number)) === wanted, timeoutMs);
const story = async (engine: Engine, number: number) =>
  (await readTimeline(engine.database)).find((order) => order.number === number) as TimelineOrder;
const cancel = (engine: Engine, number: number, as: string) =>
  engine.api.call<{ order: Order } & Problem>('POST', `/v1/orders/${number}/cancel`, { as, body: {} });

describe.each(backends)('handlers that fail and orders that are cancelled, on %s', (backend) => {
  let engine: Engine;

  beforeEach(async () => {
    engine = await startEngine(backend, {
      env: { BOT_HANDLER: 'test/support/scripted-handler.ts', ORDER_MAX_ATTEMPTS: '3', BOT_PROCESSING_MS: '20' },
    });
  });
  afterEach(() => engine.close());

  it('tries again after a backoff, with a new job in the old place, before younger orders', async () => {
    await engine.api.addBot();
    const failing = await placeNoted(engine.api, 'normal', 'fails 1 times');
    await until('first failure', async () => typesOf(await story(engine, failing.number)).includes('retry_scheduled'));
    // Younger orders keep the only bot busy until the backoff is over: the older one is the next.
    const younger = [];
    for (let count = 0; count < 12; count++) younger.push(await placeNoted(engine.api, 'normal', 'takes 250'));
    await untilStatus(engine, failing.number, 'complete');
    const after = await story(engine, failing.number);
    expect(typesOf(after)).toEqual(['placed', 'started', 'retry_scheduled', 'started', 'completed']);
    expect(after).toMatchObject({ attempt: 2, failureCount: 1 });
    const scheduled = after.events[2]?.at ?? 0;
    const restarted = after.events[3]?.at ?? 0;
    expect(restarted - scheduled).toBeGreaterThanOrEqual(499);
    expect(restarted - scheduled).toBeLessThan(2_500);
    expect(await statusOf(engine, younger.at(-1)?.number ?? 0)).not.toBe('complete');
    expect(
      await engine.database.query('SELECT FROM orders WHERE number = $1 AND enqueue_no = 2', [failing.number]),
    ).toHaveLength(1);
  });

  it('fails after ORDER_MAX_ATTEMPTS failures; a manager brings it back with all its attempts', async () => {
    await engine.api.addBot();
    const failing = await placeNoted(engine.api, 'vip', 'fails 3 times');
    await untilStatus(engine, failing.number, 'failed', 25_000);
    expect(await engine.api.order(failing.number)).toMatchObject({ attempt: 3, failureReason: 'attempts_exhausted' });
    const refused = await engine.api.call<Problem>('POST', `/v1/orders/${failing.number}/retry`, { as: normal });
    expect(refused).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect((await engine.api.call('POST', `/v1/orders/${failing.number}/retry`, { as: manager })).status).toBe(200);
    await untilStatus(engine, failing.number, 'complete');
    expect(typesOf(await story(engine, failing.number)).slice(-4)).toEqual([
      'failed',
      'retried',
      'started',
      'completed',
    ]);
    expect(await engine.api.order(failing.number)).toMatchObject({ attempt: 4, failureReason: null });
    expect(await engine.api.call<Problem>('POST', `/v1/orders/${failing.number}/retry`, { as: manager })).toMatchObject(
      { status: 409, body: { code: 'order_transition_refused' } },
    );
  });

  it('fails at once, without another try, when the handler says never', async () => {
    await engine.api.addBot();
    const refused = await placeNoted(engine.api, 'normal', 'refuses');
    await untilStatus(engine, refused.number, 'failed');
    expect(await engine.api.order(refused.number)).toMatchObject({
      attempt: 1,
      failureReason: 'this can never be done',
    });
    expect(typesOf(await story(engine, refused.number))).toEqual(['placed', 'started', 'failed']);
    expect((await cancel(engine, refused.number, manager)).body.order.status).toBe('cancelled');
  });

  it('cancels a pending order for its customer and takes its job out of the lane', async () => {
    const [kept, gone] = [await engine.api.place('normal'), await engine.api.place('normal')];
    await until('both in their lane', async () => (await waitingIn(engine)) === 2);
    const stranger = await engine.api.call<Problem>('POST', `/v1/orders/${gone.number}/cancel`, {
      as: 'vip@twolane.test',
      body: {},
    });
    expect(stranger).toMatchObject({ status: 404, body: { code: 'order_not_found' } });
    expect((await cancel(engine, gone.number, normal)).body.order).toMatchObject({
      status: 'cancelled',
      cancelledAt: expect.any(String),
    });
    expect(await waitingIn(engine)).toBe(1);
    expect(await cancel(engine, gone.number, normal)).toMatchObject({
      status: 409,
      body: { code: 'order_transition_refused' },
    });
    await engine.api.addBot();
    await untilStatus(engine, kept.number, 'complete');
    expect(typesOf(await story(engine, gone.number))).toEqual(['placed', 'cancelled']);
  });

  it('drops a job that comes too late: its order is cancelled, or waits out a backoff under a newer job', async () => {
    const cancelled = await engine.api.place('normal');
    await untilHandedOver(engine.database);
    await engine.database.query("UPDATE orders SET status = 'cancelled', cancelled_at = now() WHERE number = $1", [
      cancelled.number,
    ]);
    await engine.api.addBot();
    const failing = await placeNoted(engine.api, 'normal', 'fails 1 times');
    await until('first failure', async () => typesOf(await story(engine, failing.number)).includes('retry_scheduled'));
    const store = openStoreOf(engine);
    const queue = store.queue(laneQueues.normal.name);
    const stale = { orderNumber: failing.number, enqueueNo: 1 };
    // kept as failed, for people to see; written a moment after the order
    await until('the old job failed', async () => (await queue.getJobState(orderJobId(stale))) === 'failed');
    await queue.remove(orderJobId(stale));
    await queue.add('order', stale, { jobId: orderJobId(stale) });
    await until('the old job dropped', async () => (await queue.getJobState(orderJobId(stale))) === 'unknown');
    await store.close();
    expect(await story(engine, failing.number)).toMatchObject({ status: 'pending', attempt: 1 });
    await untilStatus(engine, failing.number, 'complete');
    const [, , scheduled, restarted] = (await story(engine, failing.number)).events;
    expect((restarted?.at ?? 0) - (scheduled?.at ?? 0)).toBeGreaterThanOrEqual(499);
    expect(typesOf(await story(engine, cancelled.number))).toEqual(['placed']);
    expect(await statusOf(engine, cancelled.number)).toBe('cancelled');
  });

  it('lets only a manager cancel an order in hand; the handler is aborted and the bot is free at once', async () => {
    await engine.api.addBot();
    const order = await placeNoted(engine.api, 'normal', 'takes 20000');
    await untilStatus(engine, order.number, 'processing');
    expect(await cancel(engine, order.number, normal)).toMatchObject({
      status: 409,
      body: { code: 'order_transition_refused' },
    });
    expect((await cancel(engine, order.number, manager)).body.order.status).toBe('cancelled');
    const next = await engine.api.place('normal');
    await untilStatus(engine, next.number, 'complete', 3_000);
    expect(typesOf(await story(engine, order.number))).toEqual(['placed', 'started', 'cancelled']);
    expect(await statusOf(engine, order.number)).toBe('cancelled');
  });
});

interface Heard {
  request: IncomingMessage;
  body: string;
  response: ServerResponse;
}

describe('the http handler', () => {
  const secret = 'a-secret-of-the-shop';
  const heard: Heard[] = [];
  let answer: (heard: Heard) => void = ({ response }) => response.writeHead(200).end();
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      heard.push({ request, body, response });
      answer({ request, body, response });
    });
  });
  let engine: Engine;

  beforeEach(async () => {
    heard.length = 0;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    engine = await startEngine('redis', {
      env: {
        BOT_HANDLER: `http://127.0.0.1:${(server.address() as AddressInfo).port}/make`,
        BOT_HANDLER_SECRET: secret,
        BOT_HANDLER_TIMEOUT: '800ms',
        ORDER_MAX_ATTEMPTS: '3',
      },
    });
    await engine.api.addBot();
  });
  afterEach(async () => {
    await engine.close();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  it('posts the order with a signature over the body that the shop can verify', async () => {
    answer = ({ response }) => response.writeHead(204).end();
    const order = await placeNoted(engine.api, 'vip', 'extra hot');
    await untilStatus(engine, order.number, 'complete');
    const [{ request, body }] = heard as [Heard];
    expect(request.method).toBe('POST');
    expect(request.headers['idempotency-key']).toBe(`order-${order.number}-attempt-1`);
    const [, seconds, signature] =
      /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(request.headers['x-twolane-signature'])) ?? [];
    expect(signature).toBe(signBody(secret, Number(seconds), body));
    expect(signature).not.toBe(signBody(secret, Number(seconds), `${body} `));
    expect(Math.abs(Number(seconds) - Date.now() / 1000)).toBeLessThan(5);
    expect(JSON.parse(body)).toMatchObject({
      order: {
        number: order.number,
        lane: 'vip',
        attempt: 1,
        note: 'extra hot',
        items: [{ sku: 'espresso', name: 'Espresso', quantity: 1 }],
      },
      botNumber: 1,
    });
  });

  it('tries again after a 5xx, a 429 and a silence longer than its timeout, each with a new attempt', async () => {
    const answers = [503, 429];
    answer = ({ response }) => {
      const status = answers.shift();
      response.writeHead(status ?? 200).end();
    };
    const order = await engine.api.place();
    await untilStatus(engine, order.number, 'complete');
    expect(heard.map(({ request }) => request.headers['idempotency-key'])).toEqual(
      [1, 2, 3].map((attempt) => `order-${order.number}-attempt-${attempt}`),
    );
    heard.length = 0;
    answer = ({ response }) => {
      if (heard.length > 1) response.writeHead(200).end();
    };
    const silent = await engine.api.place();
    await untilStatus(engine, silent.number, 'complete');
    expect(heard).toHaveLength(2);
  });

  it('fails for good after a 4xx', async () => {
    answer = ({ response }) => response.writeHead(422).end();
    const order = await engine.api.place();
    await untilStatus(engine, order.number, 'failed');
    expect(await engine.api.order(order.number)).toMatchObject({
      attempt: 1,
      failureReason: 'the handler answered 422',
    });
    expect(heard).toHaveLength(1);
  });

  it('closes the connection when the order is taken away', async () => {
    let closed: Promise<unknown> = Promise.resolve();
    answer = ({ request }) => {
      closed = once(request.socket, 'close');
    };
    const order = await engine.api.place();
    await until('the shop was asked', () => heard.length === 1);
    await engine.api.removeBot();
    await Promise.race([
      closed,
      new Promise((_resolve, reject) => setTimeout(reject, 600, new Error('the connection stayed open'))),
    ]);
    expect(await statusOf(engine, order.number)).toBe('pending');
  });
});

async function waitingIn(engine: Engine): Promise<number> {
  const status = await engine.api.call<{ queues: { name: string; waiting: number }[] }>('GET', '/v1/admin/queues', {
    headers: adminHeader,
  });
  return status.body.queues.find(({ name }) => name === laneQueues.normal.name)?.waiting ?? Number.NaN;
}
