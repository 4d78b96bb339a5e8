import { randomUUID } from 'node:crypto';
import { validate } from '@scalar/openapi-parser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Order } from '../src/domain/order.ts';
import { paymentProviders } from '../src/domain/payment.ts';
import { examples } from '../src/http/openapi/examples.ts';
import { manager, normal, samplePassword, vip } from './support/api.ts';
import { Contract, type Json, recordAnswers } from './support/contract.ts';
import { adminHeader, type Engine } from './support/engine.ts';
import { type MoneyEngine, startMoneyEngine } from './support/money.ts';
import { until } from './support/until.ts';

const robot = 'bot@twolane.test';
let money: MoneyEngine;
let engine: Engine;
let contract: Contract;

beforeAll(async () => {
  money = await startMoneyEngine('postgres', { env: { BOT_PROCESSING_MS: '20' } });
  engine = money.engine;
  contract = await Contract.read(engine.web.url);
});
afterAll(() => money?.close());

describe('the document', () => {
  it('is OpenAPI 3.1', async () => {
    const { valid, errors, version } = await validate(structuredClone(contract.document) as never);
    expect(errors).toEqual([]);
    expect({ valid, version, openapi: contract.document.openapi }).toEqual({
      valid: true,
      version: '3.1',
      openapi: '3.1.0',
    });
  });

  it('has every route that the server has, or the route is hidden on purpose', () => {
    const served = engine.web.routes
      .filter(({ method, schema }) => method !== 'HEAD' && !schema?.hide)
      .flatMap(({ method, url }) => [method].flat().map((one) => `${one} ${url.replaceAll(/:(\w+)/g, '{$1}')}`));
    expect(contract.routes.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(served.sort());
    const hidden = engine.web.routes.filter(({ schema }) => schema?.hide).map(({ url }) => url);
    expect(
      hidden.filter(
        (url) =>
          !/^\/$|^\/(docs|assets|media|admin\/(queues|backups)|v1\/(files|mail\/unsubscribe)|dev\/mail)(\/|$)/.test(
            url,
          ),
      ),
    ).toEqual([]);
  });

  it('says of every operation what it is, who may call it and what it answers', () => {
    const ids = contract.routes.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { method, path, operation } of contract.routes) {
      const { summary, tags = [], security, parameters = [], responses } = operation;
      const known = contract.document as unknown as { tags: { name: string }[] };
      expect(summary, `${method} ${path}`).toMatch(/\S/);
      expect(known.tags.map(({ name }) => name)).toContain(tags[0]);
      expect(security, `security of ${method} ${path}`).toEqual(expectedSecurity(method, path));
      for (const parameter of parameters)
        expect(parameter.description ?? parameter.schema.$ref, `${parameter.name} of ${method} ${path}`).toMatch(/\S/);
      for (const status of Object.keys(responses))
        expect(contract.answerOf(operation, Number(status))?.description, `${method} ${path} ${status}`).toMatch(/\S/);
      expect(
        Object.keys(responses).some((status) => status < '300'),
        `${method} ${path} succeeds`,
      ).toBe(true);
    }
  });

  const expectedSecurity = (method: string, path: string) => {
    const { access } =
      engine.web.routes.find((route) => route.method === method && route.url.replaceAll(/:(\w+)/g, '{$1}') === path)
        ?.config ?? {};
    if (access === 'public') return [];
    if (access === 'admin') return [{ basic: [] }];
    return access === 'admin or manager' ? [{ basic: [] }, { bearer: [] }] : [{ bearer: [] }];
  };

  it('names the codes of its problems, each at its status', () => {
    const { operation } = contract.routeOf('POST', '/v1/orders') ?? {};
    const codesOf = (status: number) =>
      JSON.stringify(contract.answerOf(operation as never, status)?.content?.['application/problem+json']?.schema);
    expect(codesOf(422)).toMatch(
      /idempotency_key_reused.*payment_method_unavailable.*product_unavailable.*product_unknown/,
    );
    expect(codesOf(503)).toMatch(/intake_overloaded.*service_unavailable/);
    expect(codesOf(401)).toMatch(/unauthenticated/);
    expect(contract.answerOf(operation as never, 503)?.headers).toHaveProperty('Retry-After');
    expect(contract.answerOf(operation as never, 401)?.headers).toHaveProperty('WWW-Authenticate');
    expect(contract.answerOf(operation as never, 201)?.headers).toHaveProperty('Location');
  });

  it('has the nouns under their names, and nothing of the validator', () => {
    const { schemas } = contract.document.components;
    expect(Object.keys(schemas)).toEqual(
      expect.arrayContaining([
        'Board',
        'Bot',
        'Money',
        'Order',
        'OrderEvent',
        'OrderRequest',
        'Problem',
        'Product',
        'User',
      ]),
    );
    expect(Object.keys(schemas).filter((name) => /Input$|^def-|__/.test(name))).toEqual([]);
    const text = JSON.stringify(contract.document);
    expect(text).not.toMatch(/9007199254740991|\$schema|~standard|_zod|"\$id"|__SCHEMA__|Default Response|"nullable"/);
    expect(text).not.toMatch(/"format":"date-time","pattern"/);
  });

  it('gives examples that fit their schemas, of calls that are there', () => {
    expect(Object.keys(examples)).not.toEqual([]);
    for (const [operationId, { body, answers = {} }] of Object.entries(examples)) {
      const { operation } = contract.routes.find((route) => route.operation.operationId === operationId) ?? {};
      const shown = operation?.requestBody?.content['application/json'];
      if (body) expect(contract.faultsOf(shown?.schema ?? { not: {} }, shown?.example), operationId).toEqual([]);
      for (const status of Object.keys(answers)) {
        const [media] = Object.values(contract.answerOf(operation as never, Number(status))?.content ?? {});
        expect(contract.faultsOf(media?.schema ?? { not: {} }, media?.example), `${operationId} ${status}`).toEqual([]);
      }
    }
  });

  it('is asked for again only when it has changed', async () => {
    const first = await fetch(new URL('/openapi.json', engine.web.url));
    const etag = first.headers.get('etag') ?? '';
    const again = await fetch(new URL('/openapi.json', engine.web.url), { headers: { 'if-none-match': etag } });
    expect({ status: again.status, body: await again.text() }).toEqual({ status: 304, body: '' });
  });
});

describe('the contract', () => {
  it('sees an answer that is not as promised', () => {
    const headers = new Headers({ 'content-type': 'application/json; charset=utf-8' });
    const check = (status: number, body: Json, path = '/v1/bots') =>
      contract.check({ method: 'GET', path, status, headers, text: JSON.stringify(body) });
    const bot = { number: 1, status: 'idle', orderNumber: null, startedAt: null, host: null };
    expect(check(200, { bots: [bot] })).toEqual([]);
    expect(check(200, { bots: [{ ...bot, status: 'asleep' }] })).not.toEqual([]);
    expect(check(200, { bots: [{ ...bot, secret: 1 }] })).not.toEqual([]);
    expect(check(200, {})).not.toEqual([]);
    expect(check(418, { bots: [bot] })).not.toEqual([]);
    expect(check(401, { code: 'unauthenticated' })).not.toEqual([]); // no problem+json, no WWW-Authenticate
    expect(check(404, { bots: [] }, '/v1/nothing')).not.toEqual([]);
  });

  it('holds for real answers of every operation', async () => {
    const { seen, stop } = recordAnswers(contract, engine.web.url);
    try {
      await walk();
    } finally {
      expect(stop()).toEqual([]);
    }
    const answered = contract.routes.filter(({ operation: { operationId, responses } }) =>
      Object.keys(responses).every((status) => status >= '300' || seen.has(`${operationId} ${status}`)),
    );
    const missing = contract.routes.filter((route) => !answered.includes(route));
    expect(missing.map(({ operation }) => operation.operationId)).toEqual([]);
    console.log(
      `contract: ${contract.routes.length} operations, ${seen.size} kinds of answers, all as the document says`,
    );
  });
});

/** Orders that are paid online; what the sandbox tells us of them is recorded too. */
async function walkMoney(): Promise<void> {
  const { call } = engine.api;
  for (const provider of paymentProviders) {
    const order = await money.placeOnline(provider);
    await call('POST', `/v1/orders/${order.number}/checkout`, { as: normal });
    money.pay(order);
    await money.untilAt(order.number, 'complete', 'captured');
    await call('GET', `/v1/orders/${order.number}/receipt`, { as: normal });
    const keyed = { as: manager, body: {}, headers: { 'idempotency-key': 'walk' } };
    await call('POST', `/v1/orders/${order.number}/refunds`, keyed);
    await call('POST', `/v1/orders/${order.number}/refunds`, keyed);
    await call('POST', `/v1/orders/${order.number}/refunds`, { as: manager, body: {} });
    await call('POST', `/v1/orders/${order.number}/payment/retry`, { as: manager });
    await money.untilAt(order.number, 'complete', 'refunded');
    await call('GET', `/v1/orders/${order.number}`, { as: normal });
    await call('GET', `/v1/orders/${order.number}/events`, { as: normal });
    await call('POST', `/v1/webhooks/${provider}`, { body: {} });
    for (const end of ['success', 'cancel'])
      for (const headers of [{}, { accept: 'application/json' }])
        await call('GET', `/v1/checkout/${end}?order=${order.number}`, { headers });
  }
}

/** What does not agree: an amount that is not ours, twice, and what becomes of it. */
async function walkDisagreements(): Promise<void> {
  const { call } = engine.api;
  const admin = { headers: adminHeader };
  const cases: string[] = [];
  for (let count = 1; count <= 2; count += 1) {
    const order = await money.placeOnline('stripe');
    await engine.database.query('UPDATE payments SET amount_minor = 241 WHERE order_number = $1', [order.number]);
    money.pay(order);
    await until('a case', async () => {
      const { body } = await call<{ cases: { id: string; state: string }[] }>('GET', '/v1/admin/quarantine', admin);
      const open = body.cases.filter(({ id, state }) => state === 'open' && !cases.includes(id));
      if (open[0]) cases.push(open[0].id);
      return cases.length === count;
    });
  }
  await call('POST', `/v1/admin/quarantine/${cases[0]}/release`, admin);
  await call('POST', `/v1/admin/quarantine/${cases[0]}/release`, admin);
  await call('POST', `/v1/admin/quarantine/${cases[1]}/discard`, admin);
  await call('POST', `/v1/admin/quarantine/${randomUUID()}/discard`, admin);
  await call('POST', '/v1/admin/reconciliation', { ...admin, body: {} });
  await call('GET', '/v1/admin/reconciliation', { as: manager });
}

/** One real flow through everything, its refusals too. */
async function walk(): Promise<void> {
  const { call } = engine.api;
  const account = { email: `${randomUUID()}@example.com`, password: samplePassword, displayName: 'Ada' };
  const { body: registered } = await call<{ user: { id: string } }>('POST', '/v1/auth/register', { body: account });
  await call('POST', '/v1/auth/register', { body: account });
  const credentials = { email: account.email, password: samplePassword };
  const { body: session } = await call<{ accessToken: string; refreshToken: string }>('POST', '/v1/auth/login', {
    body: credentials,
  });
  await call('POST', '/v1/auth/login', { body: { ...credentials, password: 'wrong' } });
  await call('POST', '/v1/auth/refresh', { body: { refreshToken: session.refreshToken } });
  await call('POST', '/v1/auth/refresh', { body: { refreshToken: 'x' } });
  await call('GET', '/v1/me', { as: vip });
  await call('GET', '/v1/me');
  const change = { currentPassword: samplePassword, newPassword: 'another long sentence' };
  const own = { headers: { authorization: `Bearer ${session.accessToken}` } };
  await call('POST', '/v1/me/password', { ...own, body: { ...change, currentPassword: 'wrong' } });
  await call('POST', '/v1/me/password', { ...own, body: change });
  for (let guess = 0; guess < 6; guess++) await call('POST', '/v1/me/password', { ...own, body: change });
  await call('POST', '/v1/me/password', { ...own, body: { ...change, newPassword: 'short' } });
  await call('POST', '/v1/auth/logout', { body: { refreshToken: session.refreshToken } });
  await call('POST', '/v1/me/password', { ...own, body: change });
  await call('PATCH', `/v1/users/${registered.user.id}`, { as: manager, body: { role: 'VIP' } });
  await call('PATCH', `/v1/users/${randomUUID()}`, { as: manager, body: { role: 'VIP' } });
  await call('PATCH', `/v1/users/${registered.user.id}`, { as: vip, body: { role: 'VIP' } });

  await call('GET', '/v1/products');
  const order = { items: [{ sku: 'espresso', quantity: 2 }], payment: { method: 'counter' }, note: 'no sugar' };
  const keyed = { as: normal, body: order, headers: { 'idempotency-key': 'walk' } };
  const { body: placed } = await call<{ order: Order }>('POST', '/v1/orders', keyed);
  await call('POST', '/v1/orders', keyed);
  await call('POST', '/v1/orders', { ...keyed, body: { ...order, note: 'sugar' } });
  await call('POST', '/v1/orders', { as: normal, body: { ...order, items: [{ sku: 'unicorn', quantity: 1 }] } });
  await call('POST', '/v1/orders', { as: normal, body: { ...order, lane: 'vip' } });
  await call('POST', '/v1/orders', { as: normal, body: { ...order, price: 1 } });
  await call('POST', '/v1/orders', { as: normal, body: 'one espresso', headers: { 'content-type': 'text/plain' } });
  await call('POST', '/v1/orders', { as: normal, body: { ...order, note: 'x'.repeat(300_000) } });
  await call('POST', '/v1/orders', { as: robot, body: order });
  const path = `/v1/orders/${placed.order.number}`;
  await call('GET', path, { as: normal });
  await call('GET', path, { as: vip });
  await call('GET', '/v1/orders?limit=1', { as: manager });
  await call('GET', '/v1/orders?limit=many', { as: manager });
  await call('GET', `${path}/events`, { as: normal });
  await call('GET', `${path}/receipt`, { as: normal });
  await call('POST', `${path}/retry`, { as: manager });
  await call('POST', `${path}/checkout`, { as: normal });
  await call('POST', `${path}/refunds`, { as: manager, body: {} });

  const { body: claimed } = await call<{ order: Order }>('POST', '/v1/bots/self/claim?wait=10', { as: robot });
  const attempt = { orderNumber: claimed.order.number, attempt: claimed.order.attempt };
  await call('POST', '/v1/bots/self/heartbeat', { as: robot, body: attempt });
  await call('POST', '/v1/bots/self/heartbeat', { as: robot, body: { ...attempt, attempt: 7 } });
  await call('POST', '/v1/bots/self/fail', { as: robot, body: { ...attempt, reason: 'burnt', retryable: false } });
  await call('POST', `${path}/retry`, { as: manager });
  await call('POST', '/v1/bots/self/claim?wait=10', { as: robot });
  await call('POST', '/v1/bots/self/complete', { as: robot, body: { ...attempt, attempt: attempt.attempt + 1 } });
  await call('POST', '/v1/bots/self/claim', { as: robot });
  await call('POST', `${path}/cancel`, { as: normal });
  const { body: other } = await call<{ order: Order }>('POST', '/v1/orders', { as: vip, body: order });
  await call('POST', `/v1/orders/${other.order.number}/cancel`, { as: vip, body: { reason: 'changed my mind' } });

  await call('POST', '/v1/bots', { as: manager });
  await walkMoney();
  await walkDisagreements();
  await call('POST', '/v1/bots', { as: normal });
  await call('GET', '/v1/bots', { as: normal });
  await call('DELETE', '/v1/bots/newest', { as: manager });
  await call('DELETE', '/v1/bots/newest', { as: manager });
  await call('GET', '/v1/board');
  const stream = await fetch(new URL('/v1/board/stream', engine.web.url));
  await stream.body?.cancel();

  await call('POST', '/v1/admin/queues/rebuild', { headers: adminHeader });
  await call('POST', '/v1/admin/queues/rebuild', { as: manager });
  await call('GET', '/v1/admin/queues', { as: manager });
  await call('GET', '/v1/admin/queues', { as: normal });
  await call('GET', '/v1/admin/audit?limit=5', { headers: adminHeader });
  const { body: asked } = await call<{ backup: { id: string } }>('POST', '/v1/admin/backups', { headers: adminHeader });
  await call('GET', '/v1/admin/backups', { as: manager });
  await call('GET', `/v1/admin/backups/${asked.backup.id}`, { as: manager });
  await call('GET', `/v1/admin/backups/${randomUUID()}`, { headers: adminHeader });
  await call('POST', '/v1/admin/backups', { as: manager });
  await call('GET', '/v1/admin/users?role=VIP', { as: manager });
  const product = { sku: 'tea', name: 'Tea', price: { amountMinor: 200, currency: 'EUR' } };
  await call('POST', '/v1/admin/products', { headers: adminHeader, body: { products: [product] } });
  await call('POST', '/v1/admin/products', { headers: adminHeader, body: { products: [product, product] } });
  const added = { ...account, email: `${randomUUID()}@example.com`, role: 'BOT' };
  await call('POST', '/v1/admin/users', { headers: adminHeader, body: added });
  await call('PATCH', `/v1/admin/users/${registered.user.id}`, { headers: adminHeader, body: { role: 'NORMAL' } });

  const password = { password: 'another long sentence' };
  await call('PUT', `/v1/admin/users/${registered.user.id}/password`, { headers: adminHeader, body: password });
  await call('PUT', `/v1/admin/users/${randomUUID()}/password`, { headers: adminHeader, body: password });
  await call('PUT', `/v1/admin/users/${registered.user.id}/password`, { as: manager, body: password });
  const { body: boss } = await call<{ user: { id: string } }>('GET', '/v1/me', { as: manager });
  for (const id of [registered.user.id, registered.user.id, boss.user.id])
    await call('DELETE', `/v1/admin/users/${id}`, { headers: adminHeader });

  await call('GET', '/metrics', { headers: adminHeader });
  await call('GET', '/healthz');
  await call('GET', '/readyz');
  await call('GET', '/openapi.json');
  await call('GET', '/v1/nothing', { as: manager });
  await call('GET', '/v1/orders/%E0%A4%A', { as: manager });
  await call('GET', `/v1/orders/${'9'.repeat(200)}`, { as: manager });
}
