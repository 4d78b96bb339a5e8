import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { normal } from './support/api.ts';
import { adminHeader, type Engine, startEngine } from './support/engine.ts';
import { askRaw, headerOf } from './support/raw-http.ts';

const shop = 'https://shop.example';
const exposed =
  'location, idempotent-replayed, retry-after, x-request-id, ratelimit-limit, ratelimit-remaining, ratelimit-reset';

describe.each([
  {
    name: 'no origin',
    env: {},
    allowed: { [shop]: undefined, 'https://other.example': undefined, null: undefined },
    credentials: undefined,
    vary: undefined,
  },
  {
    name: 'two origins',
    env: { CORS_ORIGINS: `${shop}, http://localhost:5173` },
    allowed: {
      [shop]: shop,
      'http://localhost:5173': 'http://localhost:5173',
      'https://shop.example.evil.example': undefined,
      'http://shop.example': undefined,
      null: undefined,
    },
    credentials: undefined,
    vary: 'Origin',
  },
  {
    name: 'one origin with credentials',
    env: { CORS_ORIGINS: shop, CORS_CREDENTIALS: 'true' },
    allowed: { [shop]: shop, 'https://other.example': undefined },
    credentials: 'true',
    vary: 'Origin',
  },
  {
    name: 'every origin',
    env: { CORS_ORIGINS: '*' },
    allowed: { [shop]: '*', null: '*' },
    credentials: undefined,
    vary: undefined,
  },
])('CORS for $name', ({ env, allowed, credentials, vary }) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine('postgres', { roles: [], env: { ...env, RATE_LIMIT_PER_MINUTE: '1000' } });
  });
  afterAll(() => engine.close());
  const isOn = 'CORS_ORIGINS' in env;

  it.each(Object.entries(allowed))('answers a page of %s with the origin %s', async (origin, expected) => {
    const token = await engine.api.tokenOf(normal);
    for (const [status, ...head] of [
      [200, 'GET /v1/products HTTP/1.1'],
      [200, 'GET /v1/orders HTTP/1.1', `authorization: Bearer ${token}`],
      [401, 'GET /v1/orders HTTP/1.1'],
      [403, 'POST /v1/bots HTTP/1.1', `authorization: Bearer ${token}`],
      [404, 'GET /v1/nothing HTTP/1.1'],
      [414, `GET /v1/products?${'x'.repeat(5_000)} HTTP/1.1`],
    ] as const) {
      const answer = await askRaw(engine.web.url, ...head, 'host: x', `origin: ${origin}`);
      expect(answer.status).toBe(status);
      expect(headerOf(answer, 'access-control-allow-origin')).toBe(expected);
      expect(headerOf(answer, 'access-control-allow-credentials')).toBe(credentials);
      expect(headerOf(answer, 'access-control-expose-headers')).toBe(isOn ? exposed : undefined);
      expect(headerOf(answer, 'vary')).toBe(vary);
    }
  });

  it('answers the stream alike', async () => {
    for (const [origin, expected] of Object.entries(allowed)) {
      const ended = new AbortController();
      const stream = await fetch(`${engine.web.url}/v1/board/stream`, { headers: { origin }, signal: ended.signal });
      ended.abort();
      expect(stream.headers.get('content-type')).toBe('text/event-stream');
      expect(stream.headers.get('access-control-allow-origin')).toBe(expected ?? null);
      expect(stream.headers.get('vary')).toBe(vary ?? null);
      expect(stream.headers.get('content-security-policy')).toMatch(/default-src 'none'/);
      expect(stream.headers.get('x-request-id')).toBeTruthy();
    }
  });

  it('answers a preflight for a page that may ask, and keeps it for two hours', async () => {
    const answer = await askRaw(
      engine.web.url,
      ...['OPTIONS /v1/orders HTTP/1.1', 'host: x', `origin: ${shop}`, 'access-control-request-method: POST'],
      'access-control-request-headers: authorization, content-type, idempotency-key',
    );
    expect(answer.status).toBe(isOn ? 204 : 404);
    if (!isOn) return;
    expect(headerOf(answer, 'access-control-allow-origin')).toBe(allowed[shop]);
    expect(headerOf(answer, 'access-control-allow-methods')).toBe('GET, HEAD, POST, PATCH, DELETE');
    expect(headerOf(answer, 'access-control-allow-headers')).toBe(
      'authorization, content-type, idempotency-key, last-event-id',
    );
    expect(headerOf(answer, 'access-control-max-age')).toBe('7200');
    expect(headerOf(answer, 'ratelimit-limit')).toBeUndefined();
  });

  it('lets no other page read what the browser of an admin can read by itself', async () => {
    const answer = await engine.api.call('GET', '/admin/queues/api/queues', {
      headers: { ...adminHeader, origin: shop },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });
});
