import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditEvent } from '../src/domain/audit.ts';
import type { User } from '../src/domain/user.ts';
import { manager, normal, samplePassword } from './support/api.ts';
import { adminHeader, type Engine, startEngine } from './support/engine.ts';
import { until } from './support/until.ts';

describe('the audit', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine('postgres', { roles: [] });
    await engine.api.tokenOf(manager);
  });
  afterAll(() => engine.close());

  const read = async (query = '', as: { as?: string; headers?: Record<string, string> } = { as: manager }) => {
    const answer = await engine.api.call<{ events: AuditEvent[]; nextCursor: string | null }>(
      'GET',
      `/v1/admin/audit${query}`,
      as,
    );
    expect(answer.status).toBe(200);
    return answer.body;
  };
  const latest = async (action: string) => (await read(`?action=${action}`)).events[0];
  const byManager = () => ({ kind: 'user', id: expect.stringMatching(/^[0-9a-f-]{36}$/), name: manager });
  const byAdmin = { kind: 'admin', id: null, name: 'admin' };

  it('says who signed in and out, and from where', async () => {
    const body = { email: normal, password: samplePassword };
    const signedIn = await engine.api.call<{ refreshToken: string; user: User }>('POST', '/v1/auth/login', { body });
    const actor = { kind: 'user', id: signedIn.body.user.id, name: normal };
    expect(await latest('sign_in')).toMatchObject({ actor, subject: null, address: '127.0.0.1' });
    const { refreshToken } = signedIn.body;
    await engine.api.call('POST', '/v1/auth/logout', { body: { refreshToken } });
    expect(await latest('sign_out')).toMatchObject({ actor });
  });

  it('says who changed a role, from what to what, and nothing of a change that was refused', async () => {
    const body = { email: 'eve@example.com', password: samplePassword, displayName: 'Eve' };
    const { user } = (await engine.api.call<{ user: User }>('POST', '/v1/auth/register', { body })).body;
    expect(await latest('account_registered')).toMatchObject({
      actor: { kind: 'user', id: user.id },
      subject: body.email,
    });
    await engine.api.call('PATCH', `/v1/users/${user.id}`, { as: manager, body: { role: 'VIP' } });
    const change = { subject: body.email, detail: { from: 'NORMAL', to: 'VIP' } };
    expect(await latest('role_changed')).toMatchObject({ ...change, actor: byManager() });
    await engine.api.call('PATCH', `/v1/users/${user.id}`, { as: normal, body: { role: 'MANAGER' } });
    await engine.api.call('PATCH', `/v1/users/${user.id}`, { as: manager, body: { role: 'VIP' } });
    expect((await read('?action=role_changed')).events).toHaveLength(1);
    await engine.api.call('PATCH', `/v1/admin/users/${user.id}`, { headers: adminHeader, body: { role: 'NORMAL' } });
    expect(await latest('role_changed')).toMatchObject({ actor: byAdmin });
  });

  it('says who added and removed bots, and which order came back', async () => {
    const bot = await engine.api.addBot();
    expect(await latest('bot_added')).toMatchObject({ actor: byManager(), subject: `bot ${bot.number}` });
    const workers = await engine.startWorkers(['bots', 'relay'], { BOT_PROCESSING_MS: '60000' });
    const order = await engine.api.place();
    await until('started', async () => (await engine.api.order(order.number)).status === 'processing');
    await engine.api.removeBot();
    expect(await latest('bot_removed')).toMatchObject({
      actor: byManager(),
      subject: `bot ${bot.number}`,
      detail: { returnedOrderNumber: order.number },
    });
    await workers.close();
  });

  it('says who cancelled and who retried an order', async () => {
    const order = await engine.api.place();
    const body = { reason: 'changed my mind' };
    await engine.api.call('POST', `/v1/orders/${order.number}/cancel`, { as: normal, body });
    expect(await latest('order_cancelled')).toMatchObject({
      actor: { kind: 'user', name: normal },
      subject: `order ${order.number}`,
      detail: body,
    });
    const failed = await engine.api.place();
    await engine.database.query("UPDATE orders SET status = 'failed', failure_reason = 'burnt' WHERE number = $1", [
      failed.number,
    ]);
    await engine.api.call('POST', `/v1/orders/${failed.number}/retry`, { as: manager });
    expect(await latest('order_retried')).toMatchObject({ actor: byManager(), subject: `order ${failed.number}` });
  });

  it('says what the admin did', async () => {
    await engine.api.call('POST', '/v1/admin/queues/rebuild', { headers: adminHeader });
    expect(await latest('queues_rebuilt')).toMatchObject({ actor: byAdmin, detail: { vip: 0 } });
    const products = [{ sku: 'new', name: 'New', price: { amountMinor: 100, currency: 'EUR' } }];
    await engine.api.call('POST', '/v1/admin/products', { headers: adminHeader, body: { products } });
    expect(await latest('products_imported')).toMatchObject({ actor: byAdmin, detail: { imported: 1 } });
    const account = { email: 'boss@example.com', password: samplePassword, displayName: 'Boss', role: 'MANAGER' };
    await engine.api.call('POST', '/v1/admin/users', { headers: adminHeader, body: account });
    expect(await latest('account_added')).toMatchObject({
      actor: byAdmin,
      subject: account.email,
      detail: { role: 'MANAGER' },
    });
  });

  it('says when an account has to wait because somebody guesses', async () => {
    for (let guess = 0; guess < 5; guess++)
      await engine.api.call('POST', '/v1/auth/login', { body: { email: normal, password: 'a guess' } });
    expect(await latest('sign_in_delayed')).toMatchObject({
      actor: { kind: 'system' },
      subject: normal,
      detail: { seconds: 1 },
    });
  });

  it('is read newest first, in pages, by actor and action, by managers and the admin', async () => {
    const all = (await read('?limit=200')).events;
    expect(all.map(({ id }) => Number(id))).toEqual(all.map(({ id }) => Number(id)).sort((a, b) => b - a));
    const paged: AuditEvent[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: { events: AuditEvent[]; nextCursor: string | null } = await read(
        `?limit=3${cursor && `&cursor=${cursor}`}`,
      );
      paged.push(...page.events);
      cursor = page.nextCursor;
    }
    expect(paged).toEqual(all);
    expect((await read(`?actor=${manager.toUpperCase()}`)).events.every(({ actor }) => actor.name === manager)).toBe(
      true,
    );
    expect((await read('', { headers: adminHeader })).events).toEqual((await read()).events);
    for (const query of ['?action=nonsense', '?cursor=x', '?limit=0', '?other=1'])
      expect((await engine.api.call('GET', `/v1/admin/audit${query}`, { as: manager })).status).toBe(400);
  });

  it('is never changed or deleted', async () => {
    for (const statement of [
      "UPDATE audit_events SET actor_name = 'x'",
      'DELETE FROM audit_events',
      'TRUNCATE audit_events',
    ])
      await expect(engine.database.query(statement)).rejects.toThrow('audit events are never changed or deleted');
  });
});
