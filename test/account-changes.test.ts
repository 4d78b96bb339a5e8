import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../src/db/pool.ts';
import type { AuditEvent } from '../src/domain/audit.ts';
import type { User } from '../src/domain/user.ts';
import { createLog } from '../src/log.ts';
import { changePassword } from '../src/operations/change-password.ts';
import { closeAccount } from '../src/operations/close-account.ts';
import { SessionCache } from '../src/operations/session-cache.ts';
import { setPassword } from '../src/operations/set-password.ts';
import { type RunningWeb, startWeb } from '../src/server.ts';
import { createApi, samplePassword } from './support/api.ts';
import { adminHeader, backends, type Engine, startEngine } from './support/engine.ts';
import { bearer, createPeople, newPassword, type SignedIn } from './support/people.ts';
import { bot, createRobot } from './support/robot.ts';
import { until } from './support/until.ts';

/** At one of several web processes. */
const statusAt = async (url: string, accessToken: string) =>
  (await createApi(() => url).call('GET', '/v1/me', bearer(accessToken))).status;

describe.each(backends)('new passwords and closed accounts on %s', (backend) => {
  let engine: Engine;
  let other: RunningWeb;
  beforeAll(async () => {
    engine = await startEngine(backend, { roles: [] });
    other = await startWeb(engine.config, createLog('fatal', 'test'));
  });
  afterAll(async () => {
    await other.close();
    await engine.close();
  });
  beforeEach(async () => {
    await engine.database.query('DELETE FROM sign_in_failures');
  });

  const people = createPeople(() => engine.api);
  const { call, add, login, signIn, refresh, change, setPassword, close, expectEnded } = people;
  const statusOfMe = ({ accessToken }: SignedIn, url = engine.web.url) => statusAt(url, accessToken);
  const latest = async (action: string) => {
    const path = `/v1/admin/audit?action=${action}&limit=1`;
    return (await call<{ events: AuditEvent[] }>('GET', path, { headers: adminHeader })).body.events[0];
  };
  const endReasons = async (id: string) => {
    const rows = await engine.database.query('SELECT end_reason FROM sessions WHERE user_id = $1 ORDER BY id', [id]);
    return rows.map(({ end_reason }) => end_reason);
  };
  /** Milliseconds until both web processes, which have just believed the session, refuse it. */
  const timeUntilEnded = async (session: SignedIn, change: () => Promise<{ status: number }>) => {
    for (const url of [engine.web.url, other.url]) expect(await statusOfMe(session, url)).toBe(200);
    expect((await change()).status).toBe(204);
    const changedAt = performance.now();
    const urls = [engine.web.url, other.url];
    await Promise.all(urls.map((url) => until('ended', async () => (await statusOfMe(session, url)) === 401, 5_000)));
    return performance.now() - changedAt;
  };
  const promisedMs = 1_000;

  it('changes a password: the own session goes on, the others end everywhere', async () => {
    const { id, email } = await add();
    const [own, thief] = [await signIn(email), await signIn(email)];
    const ms = await timeUntilEnded(thief, () => change(own));
    console.log(`other session ended on two web processes (${backend}): ${ms.toFixed(0)} ms`);
    expect(ms).toBeLessThan(3 * promisedMs);
    await expectEnded(thief);
    for (const url of [engine.web.url, other.url]) expect(await statusOfMe(own, url)).toBe(200);
    expect((await refresh(own.refreshToken)).status).toBe(200);
    expect(await login(email)).toMatchObject({ status: 401, body: { code: 'credentials_invalid' } });
    await signIn(email, newPassword);
    expect(await endReasons(id)).toEqual([null, 'password_changed', null]);
    expect(await latest('password_changed')).toMatchObject({
      actor: { kind: 'user', id, name: email },
      subject: null,
      detail: { sessionsEnded: 1 },
      address: '127.0.0.1',
    });
  });

  it('changes it for nobody who does not know the current one, and ends no session then', async () => {
    const { id, email } = await add();
    const [own, phone] = [await signIn(email), await signIn(email)];
    const refused = await change(own, 'a guess');
    expect(refused).toMatchObject({
      status: 403,
      body: { code: 'forbidden', detail: expect.stringMatching(/current/) },
    });
    expect(await change(own, samplePassword, 'short')).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'newPassword' }] },
    });
    expect(await statusOfMe(phone)).toBe(200);
    expect(await endReasons(id)).toEqual([null, null]);
    await signIn(email);
  });

  it('slows down guesses at the current password as it does at a sign-in', async () => {
    const { email } = await add();
    const own = await signIn(email);
    const guesses = await Promise.all(Array.from({ length: 12 }, () => change(own, 'a guess')));
    expect(guesses.map(({ status }) => status).sort()).toEqual([...Array(5).fill(403), ...Array(7).fill(429)]);
    const waiting = await change(own);
    expect(waiting).toMatchObject({ status: 429, body: { code: 'too_many_attempts' } });
    expect(waiting.headers.get('retry-after')).toBe('1');
    expect((await login(email)).status).toBe(429); // one count for both
    expect(await latest('sign_in_delayed')).toMatchObject({ subject: email });
    await engine.database.query('UPDATE sign_in_failures SET blocked_until = now()'); // as if it had been waited for
    expect((await change(own)).status).toBe(204);
    expect((await change(own, 'a guess')).status).toBe(403); // counted anew
    await signIn(email, newPassword);
  });

  it('sets a password by the admin: every session ends everywhere, and the account waits no longer', async () => {
    const { id, email } = await add();
    const session = await signIn(email);
    for (let guess = 0; guess < 6; guess++) await login(email, 'a guess');
    expect((await login(email)).status).toBe(429);
    expect(await timeUntilEnded(session, () => setPassword(id))).toBeLessThan(3 * promisedMs);
    await expectEnded(session);
    await signIn(email, newPassword);
    expect((await login(email)).status).toBe(401);
    expect(await endReasons(id)).toEqual(['password_changed', null]);
    expect(await latest('password_set')).toMatchObject({
      actor: { kind: 'admin', name: 'admin' },
      subject: email,
      detail: { sessionsEnded: 1 },
    });
  });

  it('ends the wait of an account that was never signed in too', async () => {
    const { id, email } = await add();
    for (let guess = 0; guess < 6; guess++) await login(email, 'a guess');
    expect((await login(email)).status).toBe(429);
    await setPassword(id);
    await signIn(email, newPassword);
  });

  it('closes an account: its sessions end everywhere, its orders stay, its e-mail is free', async () => {
    const { id, email } = await add();
    const session = await signIn(email);
    const body = { items: [{ sku: 'espresso', quantity: 1 }], payment: { method: 'counter' } };
    const { order } = (
      await call<{ order: { number: number } }>('POST', '/v1/orders', { ...bearer(session.accessToken), body })
    ).body;
    expect(await timeUntilEnded(session, () => close(id))).toBeLessThan(3 * promisedMs);
    await expectEnded(session);
    expect(await login(email)).toMatchObject({ status: 401, body: { code: 'credentials_invalid' } });
    expect(await endReasons(id)).toEqual(['account_closed']);
    expect((await engine.api.order(order.number)).status).toBe('pending');
    expect(await latest('account_closed')).toMatchObject({
      actor: { kind: 'admin' },
      subject: email,
      detail: { role: 'NORMAL', sessionsEnded: 1 },
    });
    const [row] = await engine.database.query('SELECT password_hash FROM users WHERE id = $1', [id]);
    expect(row?.password_hash).toBeNull();

    const again = { email, password: newPassword, displayName: 'Somebody else' };
    const registered = await call<{ user: User }>('POST', '/v1/auth/register', { body: again });
    expect(registered.status).toBe(201);
    const newcomer = await signIn(email, newPassword);
    const orders = await call<{ orders: unknown[] }>('GET', '/v1/orders', bearer(newcomer.accessToken));
    expect(orders.body.orders).toEqual([]);
    expect((await close(id)).status).toBe(404); // it is the former one
    expect(await statusOfMe(newcomer)).toBe(200);
  });

  it('finds no account where there is none', async () => {
    const { id } = await add();
    expect((await close(id)).status).toBe(204);
    for (const gone of [id, randomUUID(), 'nobody'])
      for (const answer of [await close(gone), await setPassword(gone)])
        expect(answer).toMatchObject({ status: 404, body: { code: 'user_not_found' } });
  });

  it('is told to every process, of however many sessions', async () => {
    const { id, email } = await add();
    const session = await signIn(email);
    await engine.database.query(
      "INSERT INTO sessions (id, user_id, expires_at) SELECT gen_random_uuid(), $1, now() + interval '1 day' FROM generate_series(1, 450)",
      [id],
    );
    const told: string[] = [];
    const listener = new pg.Client(engine.database.url);
    await listener.connect();
    listener.on('notification', ({ payload = '' }) => told.push(...payload.split(',')));
    await listener.query('LISTEN twolane_sessions');
    expect((await change(session)).status).toBe(204);
    await until('450 are told', () => told.length === 450);
    const rows = await engine.database.query(
      "SELECT id FROM sessions WHERE end_reason = 'password_changed' AND user_id = $1",
      [id],
    );
    expect(told.toSorted()).toEqual(rows.map((row) => row.id).toSorted());
    await listener.end();
  });
});

describe('a web process that hears no notices', () => {
  it('believes no session any more that it has ended itself', async () => {
    const engine = await startEngine('postgres', { roles: [] });
    const { add, signIn } = createPeople(() => engine.api);
    const log = createLog('fatal', 'test');
    const database = await openDatabase(engine.database.url, log);
    const deaf = { ...database, url: 'postgres://127.0.0.1:9/nobody' };
    const sessions = new SessionCache({ database: deaf, redis: null, prefix: '', log });
    const { id: userId, email } = await add();
    const by = { actor: { kind: 'admin', name: 'admin' }, address: '127.0.0.1' } as const;
    const deps = { pool: database.pool, sessions };
    const change = {
      currentPassword: samplePassword,
      newPassword: samplePassword,
      sessionId: null,
      address: by.address,
    };
    for (const end of [
      () => changePassword(deps, { userId, email, role: 'NORMAL' }, change),
      () => setPassword(deps, { userId, password: samplePassword }, by),
      () => closeAccount(deps, userId, by),
    ]) {
      await signIn(email);
      const [{ id } = { id: '' }] = await engine.database.query('SELECT id FROM sessions ORDER BY id DESC LIMIT 1');
      expect(await sessions.find(id)).toMatchObject({ userId });
      await end();
      expect(await sessions.find(id)).toBeNull();
    }
    await sessions.close();
    await database.close();
    await engine.close();
  });
});

describe('the robot of an account that is closed', () => {
  it('has its order taken away, which goes on in its place', async () => {
    const engine = await startEngine('postgres', { roles: ['relay'] });
    const robot = createRobot(engine.api);
    const { number } = await engine.api.place();
    const order = await robot.claim(10);
    expect(order?.number).toBe(number);
    const { body } = await engine.api.call<{ user: User }>('GET', '/v1/me', { as: bot });
    const closed = await engine.api.call('DELETE', `/v1/admin/users/${body.user.id}`, { headers: adminHeader });
    expect(closed.status).toBe(204);
    expect((await robot.heartbeat({ number, attempt: 1 })).status).toBe(401);
    await until('pending again', async () => (await engine.api.order(number)).status === 'pending', 4_000);
    expect(await engine.api.bots()).toEqual([]);
    await engine.close();
  });
});
