import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { median } from '../bench/statistics.ts';
import { hashRefreshToken } from '../src/accounts/refresh-token.ts';
import type { User } from '../src/domain/user.ts';
import { manager, normal, type Problem, samplePassword, vip } from './support/api.ts';
import { adminHeader, backends, type Engine, startEngine } from './support/engine.ts';
import { until } from './support/until.ts';

interface SignedIn {
  accessToken: string;
  refreshToken: string;
  tokenType: string;
  expiresIn: number;
  user: User;
}

describe.each(backends)('accounts on %s', (backend) => {
  let engine: Engine;
  let serial = 0;
  beforeAll(async () => {
    engine = await startEngine(backend, { roles: [], env: { TRUST_PROXY: '127.0.0.1' } });
  });
  afterAll(() => engine.close());

  const post = <Body>(path: string, body: unknown) => engine.api.call<Body>('POST', path, { body });
  const login = (email: string, password = samplePassword, from?: string) =>
    engine.api.call<SignedIn & Problem>('POST', '/v1/auth/login', {
      body: { email, password },
      ...(from && { headers: { 'x-forwarded-for': from } }),
    });
  const refresh = (refreshToken: string) => post<SignedIn & Problem>('/v1/auth/refresh', { refreshToken });
  const me = (accessToken: string) =>
    engine.api.call<{ user: User } & Problem>('GET', '/v1/me', { headers: { authorization: `Bearer ${accessToken}` } });
  const register = async (): Promise<string> => {
    const email = `customer-${++serial}@example.com`;
    const answer = await post('/v1/auth/register', { email, password: samplePassword, displayName: 'A Customer' });
    expect(answer.status).toBe(201);
    return email;
  };
  const forgetFailures = () => engine.database.query('DELETE FROM sign_in_failures');
  /** As if the first use of every refresh token were so long ago. */
  const passSeconds = (seconds: number) =>
    engine.database.query("UPDATE refresh_tokens SET first_used_at = first_used_at - $1 * interval '1 second'", [
      seconds,
    ]);

  it('registers a NORMAL account once, whatever the case of its e-mail', async () => {
    const body = { email: 'Ada@Example.com', password: 'analytical engine', displayName: '  Ada ' };
    const answer = await post<{ user: User }>('/v1/auth/register', body);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toEqual({
      user: {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        email: 'Ada@Example.com',
        displayName: 'Ada',
        role: 'NORMAL',
        createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      },
    });
    expect(await post('/v1/auth/register', { ...body, email: 'ada@EXAMPLE.com' })).toMatchObject({
      status: 409,
      body: { code: 'email_taken' },
    });
    const signedIn = await login('ADA@example.com', 'analytical engine');
    expect(signedIn.status).toBe(200);
    expect(signedIn.body).toMatchObject({ tokenType: 'Bearer', expiresIn: 900, user: answer.body.user });
    expect((await me(signedIn.body.accessToken)).body).toEqual(answer.body);
  });

  it('takes a role from nobody who registers', async () => {
    const body = { email: 'sly@example.com', password: samplePassword, displayName: 'Sly', role: 'MANAGER' };
    expect(await post('/v1/auth/register', body)).toMatchObject({ status: 400, body: { code: 'input_invalid' } });
  });

  it('registers one account when twenty ask for the same e-mail at once', async () => {
    const body = { email: 'race@example.com', password: samplePassword, displayName: 'Race' };
    const answers = await Promise.all(Array.from({ length: 20 }, () => post('/v1/auth/register', body)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)]);
  });

  it('keeps neither passwords nor refresh tokens in clear', async () => {
    const { body } = await login(normal);
    const [user] = await engine.database.query('SELECT password_hash FROM users WHERE email = $1', [normal]);
    expect(user?.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    const tokens = await engine.database.query('SELECT token_hash FROM refresh_tokens');
    expect(tokens.some(({ token_hash }) => token_hash.equals(hashRefreshToken(body.refreshToken)))).toBe(true);
    const [{ dump } = { dump: '' }] = await engine.database.query(
      "SELECT string_agg(t::text, ' ') AS dump FROM refresh_tokens t",
    );
    expect(dump).not.toContain(body.refreshToken);
  });

  it('refuses an unknown e-mail like a wrong password, after the same time', async () => {
    const unknown: number[] = [];
    const wrong: number[] = [];
    for (let round = 0; round < 9; round++) {
      await forgetFailures();
      for (const [times, email] of [
        [unknown, `nobody-${round}@example.com`],
        [wrong, vip],
      ] as const) {
        const startedAt = performance.now();
        const answer = await login(email, 'not the password');
        times.push(performance.now() - startedAt);
        expect(answer.status).toBe(401);
        const { code, detail } = answer.body;
        expect({ code, detail }).toEqual({
          code: 'credentials_invalid',
          detail: 'There is no account with this e-mail and password.',
        });
      }
    }
    await forgetFailures();
    const ratio = median(unknown) / median(wrong);
    console.log(`sign-in refused: unknown e-mail ${ratio.toFixed(2)} times as long as a wrong password`);
    expect(ratio).toBeGreaterThan(0.6);
    expect(ratio).toBeLessThan(1.7);
  });

  it.each(['an account', 'no account'])(
    'makes whoever guesses the password of %s wait, and lets in afterwards',
    async (what) => {
      await forgetFailures();
      const email = what === 'an account' ? await register() : 'nobody@example.com';
      const guesses = await Promise.all(Array.from({ length: 12 }, () => login(email, 'a guess')));
      expect(guesses.map(({ status }) => status).sort()).toEqual([...Array(5).fill(401), ...Array(7).fill(429)]);
      const refused = await login(email);
      expect(refused).toMatchObject({ status: 429, body: { code: 'too_many_attempts' } });
      expect(Number(refused.headers.get('retry-after'))).toBe(1);
      const first = await until('the wait is over', async () => {
        const answer = await login(email, what === 'an account' ? samplePassword : 'a guess');
        return answer.status !== 429 && answer;
      });
      expect(first.status).toBe(what === 'an account' ? 200 : 401);
      if (what === 'an account')
        expect((await login(email, 'a guess')).status).toBe(401); // counted anew
      else expect((await login(email, 'a guess')).headers.get('retry-after')).toBe('2'); // twice as long
      await forgetFailures();
    },
  );

  it('never makes an account wait longer than a minute', async () => {
    const email = await register();
    for (let failure = 0; failure < 12; failure++) {
      await login(email, 'a guess');
      await engine.database.query('UPDATE sign_in_failures SET blocked_until = NULL');
    }
    await login(email, 'a guess');
    expect((await login(email)).headers.get('retry-after')).toBe('60');
    await forgetFailures();
  });

  it('makes an address wait that guesses at many accounts', async () => {
    await forgetFailures();
    const guesses = [];
    for (let guess = 0; guess < 21; guess++) guesses.push(await login(`somebody-${guess}@example.com`, 'a guess'));
    expect(guesses.map(({ status }) => status)).toEqual([...Array(20).fill(401), 429]);
    await forgetFailures();
  });

  it('goes on counting at an address that signs in well in between', async () => {
    await forgetFailures();
    const guess = (serial: number) => login(`somebody-${serial}@example.com`, 'a guess', '198.51.100.1');
    for (let serial = 0; serial < 19; serial++) expect((await guess(serial)).status).toBe(401);
    expect((await login(normal, samplePassword, '198.51.100.1')).status).toBe(200);
    expect([(await guess(19)).status, (await guess(20)).status]).toEqual([401, 429]);
    await forgetFailures();
  });

  it('keeps nobody out where they signed in before, however many guess elsewhere', async () => {
    await forgetFailures();
    const email = await register();
    const home = '203.0.113.5';
    expect((await login(email, samplePassword, home)).status).toBe(200);
    const guesses = [];
    for (let guess = 0; guess < 12; guess++) guesses.push(await login(email, 'a guess', `198.51.100.${guess}`));
    expect(guesses.slice(5).map(({ status }) => status)).toEqual(Array(7).fill(429));
    expect((await login(email, samplePassword, '198.51.100.99')).status).toBe(429);
    expect((await login(email, samplePassword, home)).status).toBe(200);
    // Who is at home there does not guess freely either.
    const atHome = [];
    for (let guess = 0; guess < 6; guess++) atHome.push((await login(email, 'a guess', home)).status);
    expect(atHome).toEqual([...Array(5).fill(401), 429]);
    await forgetFailures();
  });

  it('counts every spelling of an e-mail that is the same account together', async () => {
    await forgetFailures();
    const spelt = (spelling: string, guess: number) => login(spelling, 'a guess', `198.51.100.${guess}`);
    for (let guess = 0; guess < 5; guess++)
      expect((await spelt(guess % 2 ? 'VIP@twolane.test' : 'vip@twolane.test', guess)).status).toBe(401);
    for (const spelling of ['vip@twolane.test', 'ViP@Twolane.Test', 'vİp@twolane.test'])
      expect((await login(spelling, samplePassword, '198.51.100.50')).status).not.toBe(200);
    await forgetFailures();
  });

  it('gives a new refresh token for each, and a sibling for one that comes again within ten seconds', async () => {
    const { body: first } = await login(normal);
    const second = await refresh(first.refreshToken);
    expect(second.status).toBe(200);
    expect(second.body.refreshToken).not.toBe(first.refreshToken);
    await passSeconds(9);
    const sibling = await refresh(first.refreshToken);
    expect(sibling.status).toBe(200);
    for (const { body } of [second, sibling]) {
      expect((await me(body.accessToken)).status).toBe(200);
      expect((await refresh(body.refreshToken)).status).toBe(200);
    }
  });

  it('gives both of two refreshes at the same moment tokens of one session', async () => {
    const { body } = await login(normal);
    const both = await Promise.all([refresh(body.refreshToken), refresh(body.refreshToken)]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    const sessions = await engine.database.query(
      'SELECT DISTINCT session_id FROM refresh_tokens WHERE token_hash = ANY ($1)',
      [[body, ...both.map((answer) => answer.body)].map(({ refreshToken }) => hashRefreshToken(refreshToken))],
    );
    expect(sessions).toHaveLength(1);
  });

  it('ends the whole session when a used refresh token comes back later', async () => {
    const { body: first } = await login(normal);
    const { body: stolen } = await refresh(first.refreshToken);
    const { body: other } = await login(normal);
    for (const { accessToken } of [first, stolen]) expect((await me(accessToken)).status).toBe(200);
    await passSeconds(11);
    expect(await refresh(first.refreshToken)).toMatchObject({ status: 401, body: { code: 'refresh_token_reused' } });
    expect(await refresh(stolen.refreshToken)).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    expect(await refresh(first.refreshToken)).toMatchObject({ status: 401, body: { code: 'refresh_token_reused' } });
    for (const token of [first.accessToken, stolen.accessToken])
      expect(await me(token)).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    expect((await me(other.accessToken)).status).toBe(200); // another device's session
    const audit = await engine.database.query(
      "SELECT actor_name FROM audit_events WHERE action = 'session_ended_by_reuse'",
    );
    expect(audit).toEqual([{ actor_name: normal }]);
  });

  it('refuses refresh tokens that are expired or unknown', async () => {
    const { body } = await login(normal);
    await engine.database.query(
      "UPDATE refresh_tokens SET expires_at = now() - interval '1 second' WHERE token_hash = $1",
      [hashRefreshToken(body.refreshToken)],
    );
    for (const token of [body.refreshToken, 'nonsense', body.accessToken, ''])
      expect(await refresh(token)).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
  });

  it('refuses the access token of a session that has come to its end', async () => {
    const { body } = await login(normal);
    await engine.database.query(
      `UPDATE sessions SET expires_at = now() - interval '1 second'
       WHERE id = (SELECT session_id FROM refresh_tokens WHERE token_hash = $1)`,
      [hashRefreshToken(body.refreshToken)],
    );
    expect((await me(body.accessToken)).status).toBe(401);
  });

  it('signs out by any token of the session, and says so for one that is signed out already', async () => {
    const { body: first } = await login(vip);
    const { body: second } = await refresh(first.refreshToken);
    expect((await me(second.accessToken)).status).toBe(200);
    for (let repeat = 0; repeat < 2; repeat++) {
      const answer = await post('/v1/auth/logout', { refreshToken: first.refreshToken });
      expect(answer).toMatchObject({ status: 204, body: '' });
    }
    expect((await post('/v1/auth/logout', { refreshToken: 'nonsense' })).status).toBe(204);
    expect((await me(second.accessToken)).status).toBe(401);
    expect((await refresh(second.refreshToken)).status).toBe(401);
  });

  it('changes a role, for the sessions that are open too', async () => {
    const email = await register();
    const { body } = await login(email);
    const change = (role: string, id = body.user.id) =>
      engine.api.call('PATCH', `/v1/users/${id}`, { as: manager, body: { role } });
    expect(await change('VIP')).toMatchObject({ status: 200, body: { user: { ...body.user, role: 'VIP' } } });
    expect((await me(body.accessToken)).body.user.role).toBe('VIP');
    expect((await change('KING')).status).toBe(400);
    for (const id of ['00000000-0000-4000-8000-000000000000', 'nonsense'])
      expect(await change('VIP', id)).toMatchObject({ status: 404, body: { code: 'user_not_found' } });
  });

  it('always keeps a manager, also when all demote each other at once', async () => {
    const [boss] = await engine.database.query('SELECT id FROM users WHERE email = $1', [manager]);
    const demote = (id: string, as: string) =>
      engine.api.call('PATCH', `/v1/users/${id}`, { as, body: { role: 'NORMAL' } });
    expect(await demote(boss?.id, manager)).toMatchObject({ status: 409, body: { code: 'last_manager' } });
    const asAdmin = await engine.api.call('PATCH', `/v1/admin/users/${boss?.id}`, {
      headers: adminHeader,
      body: { role: 'NORMAL' },
    });
    expect(asAdmin).toMatchObject({ status: 409, body: { code: 'last_manager' } });

    const deputies = await Promise.all(Array.from({ length: 4 }, register));
    const ids = [boss?.id as string];
    for (const email of deputies) {
      const { body } = await login(email);
      await engine.api.call('PATCH', `/v1/users/${body.user.id}`, { as: manager, body: { role: 'MANAGER' } });
      ids.push(body.user.id);
      await engine.api.tokenOf(email);
    }
    await engine.api.tokenOf(manager);
    const everybody = [manager, ...deputies];
    // Each one demotes the next: all of them together would leave nobody.
    const answers = await Promise.all(
      ids.map((_, index) => demote(ids[(index + 1) % ids.length] ?? '', everybody[index] ?? '')),
    );
    const left = await engine.database.query("SELECT email FROM users WHERE role = 'MANAGER'");
    expect(left.length).toBeGreaterThan(0);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5 - left.length);
    await engine.database.query("UPDATE users SET role = 'MANAGER' WHERE id = $1", [boss?.id]);
  });

  it('has no development header', async () => {
    const headers = { 'x-twolane-user': manager };
    expect((await engine.api.call('POST', '/v1/bots', { headers })).status).toBe(401);
  });
});
