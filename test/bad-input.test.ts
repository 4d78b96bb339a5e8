import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { normal, type Problem, vip } from './support/api.ts';
import { type BadCall, badCalls, badOrders, invalid, notFound } from './support/bad-calls.ts';
import { backends, type Engine, startEngine } from './support/engine.ts';
import { headerOf, speakRaw } from './support/raw-http.ts';
import { untilHandedOver } from './support/timeline.ts';

describe.each(backends)('bad input on %s', (backend) => {
  let engine: Engine;
  let foreign: number;
  const count = async () =>
    (
      await engine.database.query(
        `SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM order_items) AS items, (SELECT count(*) FROM order_events) AS events,
              (SELECT count(*) FROM outbox) AS outbox, (SELECT count(*) FROM bots) AS bots, (SELECT count(*) FROM products) AS products`,
      )
    )[0];

  beforeAll(async () => {
    engine = await startEngine(backend, { roles: [] });
    foreign = (await engine.api.place('vip')).number;
    await untilHandedOver(engine.database);
  });
  afterAll(() => engine.close());

  function expectProblem(
    answer: { status: number; headers: Headers; body: Problem },
    { status, code, path }: Pick<BadCall, 'status' | 'code' | 'path'>,
  ): void {
    expect({ status: answer.status, code: answer.body.code }, JSON.stringify(answer.body)).toEqual({ status, code });
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({
      type: 'about:blank',
      title: expect.stringMatching(/^[A-Z]/),
      status,
      detail: expect.stringMatching(/\S/),
    });
    if (path !== undefined)
      expect(
        answer.body.errors?.map((fault) => fault.path),
        JSON.stringify(answer.body),
      ).toContain(path);
    if (status === 401) expect(answer.headers.get('www-authenticate')).toMatch(/^(Bearer|Basic) realm="twolane"/);
    expect(JSON.stringify(answer.body)).not.toMatch(
      /node_modules|\.ts:|\bat \w+ \(|SELECT |INSERT |relation |postgres|bullmq|slonik|ECONN/i,
    );
  }

  it.each([...badOrders, ...badCalls])('answers $name with $status $code and stores nothing', async (bad) => {
    const before = await count();
    const answer = await engine.api.call<Problem>(bad.method ?? 'GET', bad.route ?? '/', {
      as: bad.as === null ? undefined : (bad.as ?? normal),
      ...('body' in bad && { body: bad.body }),
      ...(bad.headers && { headers: bad.headers }),
    });
    expectProblem(answer, bad);
    expect(await count()).toEqual(before);
  });

  it('hides an order from another customer as if it were not there', async () => {
    for (const [method, route, body] of [
      ['GET', `/v1/orders/${foreign}`],
      ['GET', `/v1/orders/${foreign}/events`],
      ['POST', `/v1/orders/${foreign}/cancel`, {}],
    ] as const) {
      const answer = await engine.api.call<Problem>(method, route, { as: normal, body });
      expectProblem(answer, notFound);
      const missing = await engine.api.call<Problem>(method, route.replace(String(foreign), '99999999'), {
        as: normal,
        body,
      });
      expect(answer.body.detail.replace(String(foreign), '')).toBe(missing.body.detail.replace('99999999', ''));
    }
    expect((await engine.api.call<{ orders: unknown[] }>('GET', '/v1/orders', { as: normal })).body.orders).toEqual([]);
  });

  it('answers a reason with a null character as bad input and cancels nothing', async () => {
    const answer = await engine.api.call<Problem>('POST', `/v1/orders/${foreign}/cancel`, {
      as: vip,
      body: { reason: 'a\0b' },
    });
    expectProblem(answer, { ...invalid, path: 'reason' });
    expect((await engine.api.order(foreign)).status).toBe('pending');
  });

  it.each([
    [
      'headers of 20 kB',
      `GET /v1/products HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(20_480)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
    ['a request that is no HTTP', 'BREW coffee\r\n\r\n', 400, 'input_invalid'],
    [
      'two lengths of one body',
      'POST /v1/orders HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'input_invalid',
    ],
  ])('answers %s with a problem', async (_name, request, status, code) => {
    const answer = await speakRaw(engine.web.url, request);
    expect(answer.status).toBe(status);
    expect(headerOf(answer, 'content-type')).toBe('application/problem+json');
    expect(JSON.parse(answer.body)).toMatchObject({ status, code });
  });

  it('still serves good orders', async () => {
    expect((await engine.api.call('GET', '/healthz')).status).toBe(200);
    expect((await engine.api.place()).status).toBe('pending');
    expect((await engine.api.place('vip', { key: 'k'.repeat(255) })).status).toBe('pending');
  });
});
