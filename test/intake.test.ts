import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { normal, type Problem, samplePassword, vip } from './support/api.ts';
import { backends, type Engine, startEngine } from './support/engine.ts';
import { until } from './support/until.ts';

const body = {
  items: [
    { sku: 'espresso', quantity: 2 },
    { sku: 'croissant', quantity: 1 },
  ],
  payment: { method: 'counter' },
  note: 'no sugar',
};

describe.each(backends)('intake on %s', (backend) => {
  let engine: Engine;
  const post = (options: { as?: string; body?: unknown; headers?: Record<string, string> } = {}) =>
    engine.api.call<{ order: { number: number; total: unknown } }>('POST', '/v1/orders', {
      as: normal,
      body,
      ...options,
    });
  const countOrders = async () =>
    Number((await engine.database.query<{ count: string }>('SELECT count(*) FROM orders'))[0]?.count);
  const waiting = async () => {
    const status = await engine.api.call<{ queues: { waiting: number }[] }>('GET', '/v1/admin/queues', {
      headers: { authorization: `Basic ${Buffer.from('admin:twolane-demo').toString('base64')}` },
    });
    return status.body.queues.reduce((sum, queue) => sum + queue.waiting, 0);
  };

  beforeAll(async () => {
    engine = await startEngine(backend, { roles: [] });
  });
  afterAll(() => engine.close());

  it('answers 201 with the order as the contract says, and its place', async () => {
    const answer = await post();
    expect(answer.status).toBe(201);
    const { order } = answer.body;
    expect(answer.headers.get('location')).toBe(`/v1/orders/${order.number}`);
    expect(order).toEqual({
      number: order.number,
      lane: 'normal',
      status: 'pending',
      items: [
        {
          sku: 'espresso',
          name: 'Espresso',
          quantity: 2,
          unitPrice: { amountMinor: 240, currency: 'EUR' },
          total: { amountMinor: 480, currency: 'EUR' },
        },
        {
          sku: 'croissant',
          name: 'Croissant',
          quantity: 1,
          unitPrice: { amountMinor: 260, currency: 'EUR' },
          total: { amountMinor: 260, currency: 'EUR' },
        },
      ],
      total: { amountMinor: 740, currency: 'EUR' },
      payment: { method: 'counter', status: null, checkoutUrl: null, reference: null, authorisedUntil: null },
      customerName: null,
      note: 'no sugar',
      attempt: 0,
      botNumber: null,
      position: null,
      estimatedReadyAt: null,
      placedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/),
      startedAt: null,
      completedAt: null,
      cancelledAt: null,
      failureReason: null,
    });
    expect(
      (await engine.api.call<{ order: unknown }>('GET', `/v1/orders/${order.number}`, { as: normal })).body.order,
    ).toEqual({ ...order, position: 0 });
  });

  it('places one order for thirty simultaneous repeats of one key', async () => {
    const before = await countOrders();
    const headers = { 'idempotency-key': 'thirty-at-once' };
    const answers = await Promise.all(Array.from({ length: 30 }, () => post({ headers })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    const replays = answers.filter(({ status }) => status === 200);
    expect(replays).toHaveLength(29);
    expect(replays.every(({ headers: sent }) => sent.get('idempotent-replayed') === 'true')).toBe(true);
    expect(new Set(answers.map((answer) => answer.body.order.number)).size).toBe(1);
    expect(await countOrders()).toBe(before + 1);
  });

  it('answers a repeat with its order although the product is sold out by now', async () => {
    await engine.database.query("UPDATE products SET is_available = true WHERE sku = 'lemonade'");
    const headers = { 'idempotency-key': 'before-it-was-sold-out' };
    const request = { items: [{ sku: 'lemonade', quantity: 1 }], payment: { method: 'counter' } };
    const first = await post({ headers, body: request });
    expect(first.status).toBe(201);
    await engine.database.query("UPDATE products SET is_available = false WHERE sku = 'lemonade'");
    await until('sold out', async () => (await post({ body: request })).status === 422);
    const repeat = await post({ headers, body: request });
    expect(repeat).toMatchObject({ status: 200, body: { order: { number: first.body.order.number } } });
  });

  it('takes no order number for a repeat', async () => {
    const headers = { 'idempotency-key': 'again-and-again' };
    const first = await post({ headers });
    for (let repeat = 0; repeat < 3; repeat++) expect((await post({ headers })).status).toBe(200);
    expect((await post({ headers, body: { ...body, note: 'another' } })).status).toBe(422);
    expect((await post()).body.order.number).toBe(first.body.order.number + 1);
  });

  it('refuses a key that comes with another request, and keeps keys of two customers apart', async () => {
    const headers = { 'idempotency-key': 'mine' };
    const first = await post({ headers });
    const other = await post({ headers, body: { ...body, note: 'two sugars' } });
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    const stranger = await post({ headers, as: vip });
    expect(stranger.status).toBe(201);
    expect(stranger.body.order.number).not.toBe(first.body.order.number);
  });

  it('writes the neighbours of an order that the database refuses', async () => {
    // An account that is removed between its sign-in and the commit: its foreign key fails inside the group.
    const gone = 'gone@twolane.test';
    const registered = { email: gone, password: samplePassword, displayName: 'Gone' };
    expect((await engine.api.call('POST', '/v1/auth/register', { body: registered })).status).toBe(201);
    expect((await engine.api.call('GET', '/v1/bots', { as: gone })).status).toBe(200);
    await engine.database.query('DELETE FROM users WHERE email = $1', [gone]);
    const before = await countOrders();
    const answers = await Promise.all([post(), post(), post({ as: gone }), post(), post()]);
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 401, 201, 201]);
    expect(await countOrders()).toBe(before + 4);
  });

  it('hands every order to its lane and leaves the outbox empty', async () => {
    await Promise.all(Array.from({ length: 40 }, () => post()));
    const pending = await countOrders();
    await until('lanes filled', async () => (await waiting()) === pending);
    await until('outbox empty', async () => (await engine.database.query('SELECT FROM outbox')).length === 0);
  });
});

describe('back-pressure', () => {
  it('refuses with 503 and Retry-After when too many wait, and stores nothing of those', async () => {
    const engine = await startEngine('postgres', { roles: [], env: { INTAKE_MAX_WAITING: '5' } });
    try {
      const answers = await Promise.all(
        Array.from({ length: 200 }, () => engine.api.call<Problem>('POST', '/v1/orders', { as: normal, body })),
      );
      const refused = answers.filter(({ status }) => status === 503);
      expect(refused.length).toBeGreaterThan(0);
      expect(
        refused.every(
          (answer) => answer.body.code === 'intake_overloaded' && answer.headers.get('retry-after') === '1',
        ),
      ).toBe(true);
      const accepted = answers.filter(({ status }) => status === 201).length;
      expect(accepted + refused.length).toBe(200);
      expect(await engine.database.query('SELECT FROM orders')).toHaveLength(accepted);
      expect((await engine.api.place()).status).toBe('pending');
    } finally {
      await engine.close();
    }
  });
});
