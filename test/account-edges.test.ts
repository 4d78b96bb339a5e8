import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashRefreshToken } from '../src/accounts/refresh-token.ts';
import { type Database, openDatabase } from '../src/db/pool.ts';
import type { User } from '../src/domain/user.ts';
import { createLog } from '../src/log.ts';
import { forgetOldSignIns } from '../src/operations/forget-old-sign-ins.ts';
import { manager, normal, samplePassword } from './support/api.ts';
import { adminHeader, type Engine, startEngine } from './support/engine.ts';

interface SignedIn {
  accessToken: string;
  refreshToken: string;
}

describe('accounts at their edges', () => {
  let engine: Engine;
  let database: Database;
  beforeAll(async () => {
    engine = await startEngine('postgres', { roles: [] });
    database = await openDatabase(engine.database.url, createLog('fatal', 'test'));
  });
  afterAll(async () => {
    await database.close();
    await engine.close();
  });

  const post = <Body>(path: string, body: unknown) => engine.api.call<Body>('POST', path, { body });
  const login = (email: string, password = samplePassword) => post<SignedIn>('/v1/auth/login', { email, password });
  const listUsers = async (query: string) => {
    const answer = await engine.api.call<{ users: User[] }>('GET', `/v1/admin/users?${query}`, {
      headers: adminHeader,
    });
    return answer.body.users.map(({ email }) => email);
  };
  const register = (email: string, displayName: string) =>
    post<{ user: User }>('/v1/auth/register', { email, password: samplePassword, displayName });

  it('lets in whoever types the same password on another keyboard', async () => {
    const body = { email: 'zoe@example.com', password: 'Zoë’s café', displayName: 'Zoë' };
    expect((await post('/v1/auth/register', { ...body, password: body.password.normalize('NFC') })).status).toBe(201);
    expect((await login(body.email, body.password.normalize('NFD'))).status).toBe(200);
  });

  it('goes on with a session for as long as it is refreshed, beyond the end of its first token', async () => {
    const { body: first } = await login(normal);
    await engine.database.query("UPDATE sessions SET expires_at = now() + interval '1 second'");
    const { body: second } = await post<SignedIn>('/v1/auth/refresh', { refreshToken: first.refreshToken });
    const [session] = await engine.database.query(
      `SELECT expires_at > now() + interval '29 days' AS is_long FROM sessions
       WHERE id = (SELECT session_id FROM refresh_tokens WHERE token_hash = $1)`,
      [hashRefreshToken(second.refreshToken)],
    );
    expect(session).toEqual({ is_long: true });
  });

  it('forgets sessions and failures that are old, and only those', async () => {
    const { body: kept } = await login(normal);
    const { body: old } = await login(normal);
    const [{ id: oldId } = { id: '' }] = await engine.database.query(
      'SELECT session_id AS id FROM refresh_tokens WHERE token_hash = $1',
      [hashRefreshToken(old.refreshToken)],
    );
    await engine.database.query("UPDATE sessions SET expires_at = now() - interval '31 days' WHERE id = $1", [oldId]);
    await login('nobody@example.com', 'a guess');
    await login('somebody@example.com', 'a guess');
    const counted = await engine.database.query('SELECT key FROM sign_in_failures');
    await engine.database.query(
      "UPDATE sign_in_failures SET last_failed_at = now() - interval '25 hours' WHERE key = $1",
      [counted[0]?.key],
    );
    await forgetOldSignIns(database.pool);
    expect(await engine.database.query('SELECT FROM sessions WHERE id = $1', [oldId])).toEqual([]);
    expect((await post('/v1/auth/refresh', { refreshToken: kept.refreshToken })).status).toBe(200);
    expect(await engine.database.query('SELECT key FROM sign_in_failures')).toHaveLength(counted.length - 1);
    await engine.database.query('DELETE FROM sign_in_failures');
  });

  it('searches accounts for what was typed, not for a pattern', async () => {
    await register('per_cent@example.com', '100% Ada');
    await register('perxcent@example.com', 'Ada');
    expect(await listUsers('q=per_cent')).toEqual(['per_cent@example.com']);
    expect(await listUsers('q=100%25')).toEqual(['per_cent@example.com']);
  });

  it('has no closed account anywhere, nor counts a closed manager as the one that is left', async () => {
    const { body } = await register('second@example.com', 'Second');
    await engine.api.call('PATCH', `/v1/users/${body.user.id}`, { as: manager, body: { role: 'MANAGER' } });
    expect((await login('second@example.com')).status).toBe(200);
    const closed = await engine.api.call('DELETE', `/v1/admin/users/${body.user.id}`, { headers: adminHeader });
    expect(closed.status).toBe(204);
    expect((await login('second@example.com')).status).toBe(401);
    expect(await listUsers('q=second@')).toEqual([]);
    const [boss] = await engine.database.query('SELECT id FROM users WHERE email = $1', [manager]);
    const demote = await engine.api.call('PATCH', `/v1/users/${boss?.id}`, { as: manager, body: { role: 'NORMAL' } });
    expect(demote).toMatchObject({ status: 409, body: { code: 'last_manager' } });
    const change = await engine.api.call('PATCH', `/v1/users/${body.user.id}`, { as: manager, body: { role: 'VIP' } });
    expect(change).toMatchObject({ status: 404, body: { code: 'user_not_found' } });
  });
});
