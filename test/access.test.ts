import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Order } from '../src/domain/order.ts';
import { roles } from '../src/domain/user.ts';
import { accessByPrefix, accessTable, type Callers, callers } from './support/access-table.ts';
import { samplePassword } from './support/api.ts';
import { adminHeader, type Engine, startEngine } from './support/engine.ts';

interface Prepared {
  path: string;
  body?: unknown;
}

describe('every route and whoever calls it', () => {
  let engine: Engine;
  let checks = 0;
  const emails = Object.fromEntries(roles.map((role) => [role, `${role.toLowerCase()}@twolane.test`]));
  const emailOf = (caller: Callers) => emails[caller];

  beforeAll(async () => {
    engine = await startEngine('redis', { roles: [] });
  });
  afterAll(() => engine.close());

  const orderBody = { items: [{ sku: 'espresso', quantity: 1 }], payment: { method: 'counter' } };
  const place = async (email: string | undefined): Promise<number> => {
    const { body } = await engine.api.call<{ order: { number: number } }>('POST', '/v1/orders', {
      as: email,
      body: orderBody,
    });
    return body.order.number;
  };
  const account = () => ({ email: `${randomUUID()}@example.com`, password: samplePassword, displayName: 'Somebody' });
  const registered = async (): Promise<string> => {
    const answer = await engine.api.call<{ user: { id: string } }>('POST', '/v1/auth/register', { body: account() });
    return answer.body.user.id;
  };

  /** What a robot has in hand; for others an order that is not in theirs. */
  const inHand = async (owner: string | undefined) => {
    if (owner !== emails.BOT) return { orderNumber: await place(emails.NORMAL), attempt: 1 };
    await place(emails.NORMAL);
    const path = '/v1/bots/self/claim?wait=10';
    const { body } = await engine.api.call<{ order: Order }>('POST', path, { as: owner });
    return { orderNumber: body.order.number, attempt: body.order.attempt };
  };

  /** What a call needs to be a good one. `owner` owns the order it is about. */
  const scene: Record<string, (owner: string | undefined) => Promise<{ path?: string; body?: unknown }>> = {
    asset: async () => ({ path: 'board.css' }),
    picture: async () => ({ path: 'products/espresso.svg' }),
    registration: async () => ({ body: account() }),
    credentials: async () => ({ body: { email: emails.NORMAL, password: samplePassword } }),
    refreshToken: async () => {
      const body = { email: emails.NORMAL, password: samplePassword };
      const answer = await engine.api.call<{ refreshToken: string }>('POST', '/v1/auth/login', { body });
      return { body: { refreshToken: answer.body.refreshToken } };
    },
    role: async () => ({ path: await registered(), body: { role: 'VIP' } }),
    someAccount: async () => ({ path: await registered() }),
    password: async () => ({ path: await registered(), body: { password: samplePassword } }),
    passwordChange: async () => ({ body: { currentPassword: samplePassword, newPassword: samplePassword } }),
    newAccount: async () => ({ body: { ...account(), role: 'MANAGER' } }),
    order: async () => ({ body: orderBody }),
    pendingOrder: async (owner) => ({ path: String(await place(owner)) }),
    failedOrder: async (owner) => {
      const number = await place(owner);
      await engine.database.query("UPDATE orders SET status = 'failed', failure_reason = 'burnt' WHERE number = $1", [
        number,
      ]);
      return { path: String(number) };
    },
    oneMoreBot: async () => {
      await engine.api.addBot();
      return {};
    },
    orderInHand: async (owner) => ({ body: await inHand(owner) }),
    orderThatFails: async (owner) => ({ body: { ...(await inHand(owner)), reason: 'burnt', retryable: false } }),
    products: async () => ({
      body: { products: [{ sku: randomUUID(), name: 'New', price: { amountMinor: 100, currency: 'EUR' } }] },
    }),
  };

  const prepare = async (url: string, request: string | undefined, owner: string | undefined): Promise<Prepared> => {
    const { path = '', body } = (await scene[request ?? '']?.(owner)) ?? {};
    return { path: url.replace(/:number|:id|\*/, path), body };
  };

  const status = async (method: string, { path, body }: Prepared, caller: Callers): Promise<number> => {
    const email = emailOf(caller);
    const response = await fetch(new URL(path, engine.web.url), {
      method,
      headers: {
        ...(email && { authorization: `Bearer ${await engine.api.tokenOf(email)}` }),
        ...(caller === 'admin' && adminHeader),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    await response.body?.cancel(); // the stream of the board has no end
    checks++;
    return response.status;
  };

  const served = () =>
    engine.web.routes.flatMap(({ method, url }) =>
      [method].flat().map((one) => ({ name: `${one} ${url}`, method: one, url, isHead: one === 'HEAD' })),
    );
  const prefixOf = (url: string) => Object.keys(accessByPrefix).find((prefix) => url.startsWith(prefix));

  it('has a line in the table for every route, and a route for every line', () => {
    const routes = served().filter(({ url, isHead }) => !isHead && prefixOf(url) === undefined);
    expect(routes.map(({ name }) => name).sort()).toEqual(Object.keys(accessTable).sort());
  });

  it.each(Object.entries(accessTable))('%s', async (name, { request, answers, foreign }) => {
    const [method = '', url = ''] = name.split(' ');
    const isHeadServed = served().some((route) => route.name === `HEAD ${url}`);
    for (const [kind, row] of [
      ['own', answers],
      ['foreign', foreign],
    ] as const) {
      const seen: Record<string, number> = {};
      const expected: Record<string, number> = {};
      for (const [index, caller] of callers.entries()) {
        const answer = row?.[index];
        if (answer === undefined || answer === '-') continue;
        const owner = kind === 'own' ? emailOf(caller) : caller === 'NORMAL' ? emails.VIP : emails.NORMAL;
        expected[`${kind} ${caller}`] = answer;
        seen[`${kind} ${caller}`] = await status(method, await prepare(url, request, owner), caller);
        if (!isHeadServed || method !== 'GET') continue;
        expected[`HEAD ${kind} ${caller}`] = answer;
        seen[`HEAD ${kind} ${caller}`] = await status('HEAD', await prepare(url, request, owner), caller);
      }
      expect(seen).toEqual(expected);
    }
  });

  it('lets nobody but the admin into what others made, whatever the route', async () => {
    const inside = served().filter(({ url }) => prefixOf(url) !== undefined);
    expect(inside.length).toBeGreaterThan(10);
    for (const { method, url, name } of inside) {
      for (const caller of callers) {
        const isOpen = accessByPrefix[prefixOf(url) ?? ''] === 'everybody' || caller === 'admin';
        const answer = await status(method, { path: url.replaceAll(/:[a-zA-Z]+|\*/g, 'x') }, caller);
        expect(`${name} ${caller} ${answer === 401}`).toBe(`${name} ${caller} ${!isOpen}`);
      }
    }
  });

  it('says how much was compared', () => {
    const routes = served().length;
    console.log(
      `access table: ${routes} routes × ${callers.length} callers, own and foreign objects: ${checks} calls compared`,
    );
    expect(checks).toBeGreaterThan(600);
  });
});
