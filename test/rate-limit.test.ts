import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPrivateRedis } from '../sandbox/private-redis.ts';
import { type CallOptions, manager, normal, type Problem, vip } from './support/api.ts';
import { adminHeader, backends, type Engine, startEngine } from './support/engine.ts';
import { type EngineProcess, killAll, startWebProcess } from './support/engine-process.ts';
import { until } from './support/until.ts';

const bot = 'bot@twolane.test';
const env = { RATE_LIMIT_PER_MINUTE: '5', SIGN_IN_LIMIT_PER_MINUTE: '5', TRUST_PROXY: 'loopback' };
const from = (address: string) => ({ 'x-forwarded-for': address });

const expectLimited = (answer: { status: number; headers: Headers; body: Problem }, limit: number) => {
  expect(answer).toMatchObject({ status: 429, body: { status: 429, code: 'rate_limited', title: 'Rate limited' } });
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  const seconds = Number(answer.headers.get('retry-after'));
  expect(seconds).toBeGreaterThanOrEqual(1);
  expect(seconds).toBeLessThanOrEqual(60);
  expect(answer.body.detail).toContain(`Try again in ${seconds} s`);
  expect(answer.headers.get('ratelimit-limit')).toBe(String(limit));
  expect(answer.headers.get('ratelimit-remaining')).toBe('0');
};

describe.each(backends)('the rate limit on %s', (backend) => {
  let engine: Engine;
  const tokens: Record<string, string> = {};
  beforeAll(async () => {
    engine = await startEngine(backend, { roles: [], env });
    for (const email of [normal, vip, manager, bot]) tokens[email] = await engine.api.tokenOf(email);
  });
  afterAll(() => engine.close());

  const call = (method: string, path: string, options: CallOptions) => engine.api.call<Problem>(method, path, options);
  const statuses = async (count: number, method: string, path: string, options: CallOptions) => {
    const seen: number[] = [];
    for (let times = 0; times < count; times++) seen.push((await call(method, path, options)).status);
    return seen;
  };

  it('counts down for an address, then says when to come back', async () => {
    for (let remaining = 4; remaining >= 0; remaining--) {
      const answer = await call('GET', '/v1/products', { headers: from('192.0.2.1') });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('ratelimit-limit')).toBe('5');
      expect(answer.headers.get('ratelimit-remaining')).toBe(String(remaining));
      expect(Number(answer.headers.get('ratelimit-reset'))).toBeGreaterThan(50);
    }
    expectLimited(await call('GET', '/v1/board', { headers: from('192.0.2.1') }), 5);
    expect((await call('GET', '/v1/products', { headers: from('192.0.2.2') })).status).toBe(200);
  });

  it('counts an account wherever it asks from, and not the address where it is known', async () => {
    for (const last of [1, 2, 3, 4, 5])
      expect((await call('GET', '/v1/me', { as: normal, headers: from(`198.51.100.${last}`) })).status).toBe(200);
    expectLimited(await call('GET', '/v1/me', { as: normal, headers: from('198.51.100.6') }), 5);
    expect((await call('GET', '/v1/me', { as: vip, headers: from('198.51.100.6') })).status).toBe(200);
    expect(await statuses(5, 'GET', '/v1/products', { headers: from('198.51.100.6') })).toEqual(Array(5).fill(200));
  });

  it.each([manager, bot])('leaves %s, who works for the shop, ten times as much', async (email) => {
    const options = { as: email, headers: from('198.51.100.77') };
    expect(await statuses(50, 'GET', '/v1/bots', options)).toEqual(Array(50).fill(200));
    expectLimited(await call('GET', '/v1/bots', options), 50);
  });

  it.each([
    ['those without a token', 401, 'GET', '/v1/orders', {}],
    ['those with a token that is none', 401, 'GET', '/v1/orders', { authorization: 'Bearer nonsense' }],
    ['those who are no admin', 401, 'GET', '/admin/queues', { authorization: 'Basic eDp5' }],
    ['those who ask for what is not there', 404, 'GET', '/v1/nothing', {}],
    ['those who look at files', 200, 'GET', '/assets/board.js', {}],
  ])('counts %s too', async (name, status, method, path, headers) => {
    const address = `203.0.113.${name.length}`;
    const options = { headers: { ...headers, ...from(address) } };
    expect(await statuses(5, method, path, options)).toEqual(Array(5).fill(status));
    expectLimited(await call(method, path, options), 5);
  });

  it('limits the board stream and Bull Board as problems too', async () => {
    for (const [address, path, headers] of [
      ['203.0.113.101', '/v1/board/stream', {}],
      ['203.0.113.102', '/admin/queues/api/queues', adminHeader],
    ] as const) {
      await statuses(5, 'GET', '/v1/products', { headers: from(address) });
      expectLimited(await call('GET', path, { headers: { ...headers, ...from(address) } }), 5);
    }
  });

  it('never limits a health check', async () => {
    const options = { headers: from('203.0.113.110') };
    expect(await statuses(12, 'GET', '/healthz', options)).toEqual(Array(12).fill(200));
    expect(await statuses(12, 'GET', '/readyz', options)).toEqual(Array(12).fill(200));
    expect((await call('GET', '/healthz', options)).headers.get('ratelimit-limit')).toBeNull();
  });

  it('counts calls that sign in for themselves, all together', async () => {
    const options = { headers: from('203.0.113.120'), body: { email: 'x@x.test', password: 'wrong password' } };
    expect(await statuses(3, 'POST', '/v1/auth/login', options)).toEqual([401, 401, 401]);
    const refresh = { ...options, body: { refreshToken: 'nonsense' } };
    expect(await statuses(2, 'POST', '/v1/auth/refresh', refresh)).toEqual([401, 401]);
    for (const path of ['login', 'register', 'refresh', 'logout'])
      expectLimited(await call('POST', `/v1/auth/${path}`, options), 5);
    expect((await call('GET', '/v1/products', { headers: options.headers })).status).toBe(200);
  });

  it('takes an IPv6 network, which one customer has, for one', async () => {
    for (const host of [':1', '2:3:4:5', 'ffff:ffff:ffff:ffff', ':9', 'a:b:c:d'])
      expect((await call('GET', '/v1/products', { headers: from(`2001:db8:0:1:${host}`) })).status).toBe(200);
    expectLimited(await call('GET', '/v1/products', { headers: from('2001:db8:0:1::77') }), 5);
    expect((await call('GET', '/v1/products', { headers: from('2001:db8:0:2::77') })).status).toBe(200);
  });
});

describe('whom X-Forwarded-For makes', () => {
  it.each([
    ['believed of nobody', 'false', true],
    ['believed of one proxy, which adds what it sees last', '1', true],
    ['believed of a network that the sender is not in', '10.0.0.0/8', true],
    ['believed of two proxies where there is one', '2', false],
    ['believed of loopback', 'loopback', false],
  ])('%s (TRUST_PROXY=%s): a sender is the same whatever it claims: %s', async (_name, trust, isSame) => {
    const engine = await startEngine('postgres', { roles: [], env: { ...env, TRUST_PROXY: trust } });
    try {
      const ask = (claimed: string) => {
        const seenByProxy = trust === '1' || trust === '2' ? `${claimed}, 192.0.2.9` : claimed;
        return engine.api.call<Problem>('GET', '/v1/products', { headers: from(seenByProxy) });
      };
      for (const last of [1, 2, 3, 4, 5]) expect((await ask(`198.51.100.${last}`)).status).toBe(200);
      expect((await ask('198.51.100.6')).status).toBe(isSame ? 429 : 200);
    } finally {
      await engine.close();
    }
  });
});

describe('two web processes', () => {
  const processes: EngineProcess[] = [];
  afterAll(() => killAll(processes));

  async function countServed(engine: Engine): Promise<{ first: number; second: number; refusal: Response }> {
    const [first, second] = await Promise.all([
      startWebProcess(engine.environment),
      startWebProcess(engine.environment),
    ]);
    processes.push(first, second);
    const ask = (url: string) => fetch(`${url}/v1/products`, { headers: from('192.0.2.50') });
    const countUntilRefused = async (url: string) => {
      for (let served = 0; ; served++) {
        const answer = await ask(url);
        if (answer.status === 429) return served;
        expect(answer.status).toBe(200);
      }
    };
    expect((await ask(second.url)).status).toBe(200);
    const servedByFirst = await countUntilRefused(first.url);
    const servedBySecond = 1 + (await countUntilRefused(second.url));
    return { first: servedByFirst, second: servedBySecond, refusal: await ask(second.url) };
  }

  it.each([
    ['redis', 'count together', { first: 4, second: 1 }],
    ['postgres', 'count each for itself', { first: 5, second: 5 }],
  ] as const)('on %s %s', async (backend, _how, expected) => {
    const engine = await startEngine(backend, { roles: [], env });
    try {
      const { refusal, ...served } = await countServed(engine);
      expect(served).toEqual(expected);
      const body = (await refusal.json()) as Problem;
      expectLimited({ status: refusal.status, headers: refusal.headers, body }, 5);
    } finally {
      await killAll(processes.splice(0));
      await engine.close();
    }
  });

  it('refuse nobody while Redis is frozen or away, and count again when it is back', async () => {
    const redis = await startPrivateRedis();
    const engine = await startEngine('redis', { roles: [], env: { ...env, REDIS_URL: redis.url } });
    try {
      const web = await startWebProcess(engine.environment);
      processes.push(web);
      const ask = async (address: string) => {
        const asked = performance.now();
        const { status } = await fetch(`${web.url}/v1/products`, { headers: from(address) });
        return { status, ms: performance.now() - asked };
      };
      const untilLimited = (address: string) => until('a limit', async () => (await ask(address)).status === 429);
      await untilLimited('192.0.2.60');

      process.kill(redis.pid, 'SIGSTOP');
      const frozen = await ask('192.0.2.61');
      process.kill(redis.pid, 'SIGCONT');
      expect(frozen.status).toBe(200);
      expect(frozen.ms).toBeLessThan(3_000);
      expect((await ask('192.0.2.60')).status, 'whoever has had enough').toBe(429);
      await untilLimited('192.0.2.61');

      process.kill(redis.pid, 'SIGKILL');
      for (let times = 0; times < 10; times++) expect((await ask('192.0.2.62')).status).toBe(200);
      await redis.restart();
      await untilLimited('192.0.2.62');
      expect(web.lines.join('\n')).not.toMatch(/"level":"(error|fatal)"/);
    } finally {
      await killAll(processes.splice(0));
      await engine.close();
      await redis.stop();
    }
  });
});
