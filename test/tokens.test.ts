import { createHmac, generateKeyPairSync } from 'node:crypto';
import { createSigner } from 'fast-jwt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';
import { createLog } from '../src/log.ts';
import { type RunningWeb, startWeb } from '../src/server.ts';
import { createApi, manager, normal, samplePassword, vip } from './support/api.ts';
import { backends, type Engine, startEngine } from './support/engine.ts';
import { until } from './support/until.ts';

const signIn = async (url: string, email: string) => {
  const answer = await createApi(() => url).call<{ accessToken: string; refreshToken: string; user: { id: string } }>(
    'POST',
    '/v1/auth/login',
    { body: { email, password: samplePassword } },
  );
  expect(answer.status).toBe(200);
  return answer.body;
};

const callMe = (url: string, token: string) =>
  fetch(`${url}/v1/me`, { headers: { authorization: token.includes(' ') ? token : `Bearer ${token}` } });

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const decode = (part: string | undefined) => JSON.parse(Buffer.from(part ?? '', 'base64url').toString());

describe('access tokens that are refused', () => {
  let engine: Engine;
  let good: Awaited<ReturnType<typeof signIn>>;
  let secret: string;
  let claims: Record<string, unknown>;
  let header: { alg: string; typ: string; kid: string };

  beforeAll(async () => {
    engine = await startEngine('postgres', { roles: [] });
    good = await signIn(engine.web.url, normal);
    secret = engine.environment.JWT_SECRET ?? '';
    const [head, body] = good.accessToken.split('.');
    header = decode(head);
    claims = decode(body);
  });
  afterAll(() => engine.close());

  const signed = (changes: Record<string, unknown>, key = secret) => {
    const text = `${base64(header)}.${base64({ ...claims, ...changes })}`;
    return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
  };
  const now = () => Math.floor(Date.now() / 1_000);
  const part = (index: number) => good.accessToken.split('.')[index] ?? '';
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const publicPem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const privatePem = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

  const bad: [name: string, token: () => string][] = [
    ['expired', () => signed({ iat: now() - 1_000, exp: now() - 1 })],
    ['not yet valid', () => signed({ nbf: now() + 60 })],
    ['signed by another key', () => signed({}, 'another secret that is just as long as ours')],
    ['signed by no key', () => signed({}, '')],
    ['alg none', () => `${base64({ alg: 'none', typ: 'JWT' })}.${part(1)}.`],
    ['alg none with our key id', () => `${base64({ ...header, alg: 'none' })}.${part(1)}.`],
    ['alg none with our signature', () => `${base64({ ...header, alg: 'none' })}.${part(1)}.${part(2)}`],
    ['RS256 with our key id', () => createSigner({ key: privatePem, algorithm: 'RS256', kid: header.kid })(claims)],
    [
      'HS256 by the text of a public key',
      () => {
        const text = `${base64(header)}.${part(1)}`;
        return `${text}.${createHmac('sha256', publicPem).update(text).digest('base64url')}`;
      },
    ],
    ['HS512 by our secret', () => createSigner({ key: secret, algorithm: 'HS512', kid: header.kid })(claims)],
    ['another key id', () => createSigner({ key: secret, algorithm: 'HS256', kid: 'another' })(claims)],
    ['no key id', () => createSigner({ key: secret, algorithm: 'HS256' })(claims)],
    [
      'a key of its own in the header',
      () => `${base64({ ...header, jwk: { kty: 'oct', k: 'AA' } })}.${part(1)}.${part(2)}`,
    ],
    ['without its signature', () => `${part(0)}.${part(1)}`],
    ['with an empty signature', () => `${part(0)}.${part(1)}.`],
    ['truncated by one letter', () => good.accessToken.slice(0, -1)],
    ['truncated in its claims', () => good.accessToken.slice(0, 80)],
    ['of four parts', () => `${good.accessToken}.${part(2)}`],
    ['with changed claims', () => `${part(0)}.${base64({ ...claims, exp: now() + 9_999_999 })}.${part(2)}`],
    ['of another issuer', () => signed({ iss: 'elsewhere' })],
    ['for another audience', () => signed({ aud: 'elsewhere' })],
    ['without an end', () => signed({ exp: undefined })],
    ['without a session', () => signed({ sid: undefined })],
    ['with a session that is no text', () => signed({ sid: ['a'] })],
    ['of a session that never was', () => signed({ sid: '01890000-0000-7000-8000-000000000000' })],
    ['a refresh token', () => good.refreshToken],
    ['an empty text', () => 'Bearer '],
    ['Basic instead of Bearer', () => `Basic ${good.accessToken}`],
    ['two of them', () => `Bearer ${good.accessToken} ${good.accessToken}`],
  ];

  it('believes the token that the following ones are made of', async () => {
    expect((await callMe(engine.web.url, good.accessToken)).status).toBe(200);
    expect((await callMe(engine.web.url, signed({}))).status).toBe(200);
    expect((await callMe(engine.web.url, `bearer ${good.accessToken}`)).status).toBe(200);
  });

  it.each(bad)('%s', async (_name, token) => {
    const answer = await callMe(engine.web.url, token());
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="twolane"');
    expect(answer.headers.get('content-type')).toMatch('application/problem+json');
    expect(await answer.json()).toMatchObject({ code: 'unauthenticated', status: 401 });
  });

  it('of a session that was signed out', async () => {
    const ended = await signIn(engine.web.url, normal);
    expect((await callMe(engine.web.url, ended.accessToken)).status).toBe(200);
    await engine.api.call('POST', '/v1/auth/logout', { body: { refreshToken: ended.refreshToken } });
    expect((await callMe(engine.web.url, ended.accessToken)).status).toBe(401);
  });

  it('of an account that was deleted', async () => {
    const gone = await signIn(engine.web.url, vip);
    const headers = { authorization: `Bearer ${gone.accessToken}` };
    const listOrders = async () => (await fetch(`${engine.web.url}/v1/orders`, { headers })).status;
    expect(await listOrders()).toBe(200);
    await engine.database.query('UPDATE users SET deleted_at = now() WHERE email = $1', [vip]);
    await until('refused', async () => (await listOrders()) === 401, 3_000);
    const again = await engine.api.call('POST', '/v1/auth/refresh', { body: { refreshToken: gone.refreshToken } });
    expect(again.status).toBe(401);
  });

  it('that outlived their time, although they were believed before', async () => {
    const short = await startEngine('postgres', { roles: [], env: { JWT_ACCESS_TOKEN_DURATION: '1s' } });
    const { accessToken } = await signIn(short.web.url, normal);
    expect((await callMe(short.web.url, accessToken)).status).toBe(200);
    await until('refused', async () => (await callMe(short.web.url, accessToken)).status === 401, 4_000);
    await short.close();
  });
});

describe('keys that are changed', () => {
  it('believes tokens of every secret, signs with the first, and forgets one that is taken out', async () => {
    const engine = await startEngine('postgres', { roles: [] });
    const start = async (secrets: string[]) => {
      const environment = { ...engine.environment, JWT_SECRET: secrets.join(', ') };
      return startWeb(readConfig(environment), createLog('fatal', 'test'));
    };
    const [former, next] = [
      'the former secret of this shop is long enough',
      'the next secret of this shop is long enough',
    ];
    const before = await start([former]);
    const old = await signIn(before.url, normal);
    const between = await start([next, former]);
    expect((await callMe(between.url, old.accessToken)).status).toBe(200);
    const fresh = await signIn(between.url, normal);
    expect((await callMe(before.url, fresh.accessToken)).status).toBe(401);
    const after = await start([next]);
    expect((await callMe(after.url, old.accessToken)).status).toBe(401);
    expect((await callMe(after.url, fresh.accessToken)).status).toBe(200);
    await Promise.all([before, between, after].map((web) => web.close()));
    await engine.close();
  });
});

describe.each(backends)('a change of a session, told to every web process on %s', (backend) => {
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

  /** Milliseconds until both processes see it; both have just answered for the session. */
  const timeUntil = async (change: () => Promise<unknown>, isSeen: (url: string) => Promise<boolean>) => {
    for (const url of [engine.web.url, other.url]) expect(await isSeen(url)).toBe(false);
    await change();
    const changedAt = performance.now();
    await Promise.all([engine.web.url, other.url].map((url) => until('seen', () => isSeen(url), 5_000)));
    return performance.now() - changedAt;
  };

  const promisedMs = 1_000;
  const signOut = (refreshToken: string) => engine.api.call('POST', '/v1/auth/logout', { body: { refreshToken } });

  it('ends a session everywhere within a second', async () => {
    const { accessToken, refreshToken } = await signIn(other.url, normal);
    const ms = await timeUntil(
      () => signOut(refreshToken),
      async (url) => (await callMe(url, accessToken)).status === 401,
    );
    console.log(`signed out on two web processes (${backend}): ${ms.toFixed(0)} ms`);
    expect(ms).toBeLessThan(3 * promisedMs);
  });

  it('gives a role everywhere within a second', async () => {
    const { accessToken, user } = await signIn(other.url, normal);
    const mayAddBots = async (url: string) =>
      (await fetch(`${url}/v1/admin/users`, { headers: { authorization: `Bearer ${accessToken}` } })).status === 200;
    const ms = await timeUntil(
      () => engine.api.call('PATCH', `/v1/users/${user.id}`, { as: manager, body: { role: 'MANAGER' } }),
      mayAddBots,
    );
    console.log(`role changed on two web processes (${backend}): ${ms.toFixed(0)} ms`);
    expect(ms).toBeLessThan(3 * promisedMs);
    await engine.api.call('PATCH', `/v1/users/${user.id}`, { as: manager, body: { role: 'NORMAL' } });
  });

  it('ends it also where the notice is lost', async () => {
    const { accessToken, refreshToken } = await signIn(other.url, vip);
    let isCut = true;
    const cutting = (async () => {
      while (isCut) {
        await engine.database.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE application_name = 'twolane listener' AND datname = current_database()`,
        );
      }
    })();
    const ms = await timeUntil(
      () => signOut(refreshToken),
      async (url) => (await callMe(url, accessToken)).status === 401,
    );
    isCut = false;
    await cutting;
    console.log(`signed out on two web processes that hear no notices (${backend}): ${ms.toFixed(0)} ms`);
    expect(ms).toBeLessThan(3 * promisedMs);
  });
});
