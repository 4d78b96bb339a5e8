import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { manager, normal, type Problem } from './support/api.ts';
import { Contract } from './support/contract.ts';
import { adminHeader, type Engine, startEngine } from './support/engine.ts';
import { askRaw, headerOf, openSocket, parseAnswer, type RawAnswer, readToEnd, speakRaw } from './support/raw-http.ts';

const apiPolicy = "default-src 'none';frame-ancestors 'none'";
const admin = `authorization: ${adminHeader.authorization}`;
const inside = /node_modules|\.ts:|\bat \w+ \(|select |insert |relation |postgres|bullmq|slonik|wrongtype|econn/i;

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine('postgres', { roles: [], env: { TRUST_PROXY: 'loopback' } });
});
afterAll(() => engine.close());

const ask = (...head: string[]) => askRaw(engine.web.url, ...head);

function expectProblem(answer: RawAnswer, status: number, code: string): void {
  expect(answer.status, answer.body).toBe(status);
  expect(headerOf(answer, 'content-type')).toBe('application/problem+json');
  expect(JSON.parse(answer.body)).toMatchObject({ type: 'about:blank', status, code, detail: expect.any(String) });
  expect(answer.body).not.toMatch(inside);
}

describe('the headers of every answer', () => {
  it.each([
    ['an answer', 200, apiPolicy, ['GET /v1/products HTTP/1.1', 'host: x']],
    ['a health check', 200, apiPolicy, ['GET /healthz HTTP/1.1', 'host: x']],
    ['a refusal', 401, apiPolicy, ['GET /v1/orders HTTP/1.1', 'host: x']],
    ['a refusal to an admin', 401, apiPolicy, ['GET /v1/admin/queues HTTP/1.1', 'host: x']],
    ['what is not there', 404, apiPolicy, ['GET /v1/nothing HTTP/1.1', 'host: x']],
    ['a file that is not there', 404, apiPolicy, ['GET /assets/nothing.js HTTP/1.1', 'host: x']],
    ['a URL that is none', 400, apiPolicy, ['GET /v1/orders/%E0%A4%A HTTP/1.1', 'host: x']],
    ['a path that is too long', 414, apiPolicy, [`GET /v1/orders/${'1'.repeat(200)} HTTP/1.1`, 'host: x']],
    ['the board page', 200, /script-src 'self'; style-src 'self';/, ['GET / HTTP/1.1', 'host: x']],
    ['a script', 200, /script-src 'self'; style-src 'self';/, ['GET /assets/board.js HTTP/1.1', 'host: x']],
    ['the docs', 200, /script-src 'self';.* frame-ancestors 'none'/, ['GET /docs HTTP/1.1', 'host: x']],
    ['Bull Board', 200, /style-src 'self' 'unsafe-inline'/, ['GET /admin/queues HTTP/1.1', 'host: x', admin]],
    ['Bull Board to a stranger', 401, /frame-ancestors 'none'/, ['GET /admin/queues HTTP/1.1', 'host: x']],
  ] as const)('are safe for %s, and none comes twice', async (_name, status, policy, head) => {
    const answer = await ask(...head);
    expect(answer.status, answer.body).toBe(status);
    expect(headerOf(answer, 'content-security-policy')).toMatch(policy);
    expect(headerOf(answer, 'x-content-type-options')).toBe('nosniff');
    expect(headerOf(answer, 'x-frame-options')).toBe('DENY');
    expect(headerOf(answer, 'referrer-policy')).toBe('no-referrer');
    expect(headerOf(answer, 'cache-control')).toMatch(/^no-store$|^no-cache$|^public, max-age=0$/);
    expect(headerOf(answer, 'x-request-id')).toMatch(/^[\da-f-]{36}$/);
    for (const name of ['strict-transport-security', 'x-powered-by', 'server', 'access-control-allow-origin'])
      expect(headerOf(answer, name), name).toBeUndefined();
    const names = answer.headers.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
  });

  it('let a shop show our pictures in its pages, and nobody read an answer there', async () => {
    const policyOf = async (path: string) =>
      headerOf(await ask(`GET ${path} HTTP/1.1`, 'host: x'), 'cross-origin-resource-policy');
    expect(await policyOf('/assets/icon.svg')).toBe('cross-origin');
    expect(await policyOf('/v1/products')).toBe('same-origin');
  });

  it('bind a browser to https only where it came by https', async () => {
    const strict = async (...head: string[]) =>
      headerOf(await ask('GET /v1/products HTTP/1.1', 'host: x', ...head), 'strict-transport-security');
    expect(await strict('x-forwarded-proto: https')).toBe('max-age=31536000');
    expect(await strict('x-forwarded-proto: http')).toBeUndefined();
  });

  it.each([
    ['trace-7.a:b/c=+_', true],
    ['x'.repeat(64), true],
    ['x'.repeat(65), false],
    ['a b', false],
    ['<script>', false],
    ['käse', false],
    ['', false],
  ])('give back the request id %j: %s', async (given, isKept) => {
    const id = headerOf(await ask('GET /healthz HTTP/1.1', 'host: x', `x-request-id: ${given}`), 'x-request-id');
    if (isKept) expect(id).toBe(given);
    else expect(id).toMatch(/^[\da-f-]{36}$/);
  });
});

describe('what is HTTP, but sent by nobody in good faith', () => {
  const host = 'host: x';
  const get = 'GET /v1/products HTTP/1.1';
  it.each<[string, number, string, string[]]>([
    ['no host', 400, 'input_invalid', [get]],
    ['two hosts', 400, 'input_invalid', [get, host, 'Host: y']],
    ['two tokens', 400, 'input_invalid', [get, host, 'authorization: Bearer a', 'Authorization: Bearer b']],
    ['two keys of an order', 400, 'input_invalid', [get, host, 'idempotency-key: a', 'idempotency-key: b']],
    ['two types of a body', 400, 'input_invalid', [get, host, 'content-type: text/plain', 'Content-Type: text/html']],
    ['two places in the stream', 400, 'input_invalid', [get, host, 'last-event-id: 1', 'Last-Event-ID: 2']],
    ['101 headers', 431, 'input_invalid', [get, host, ...[...Array(98).keys()].map((at) => `x-${at}: 1`), 'a: 1']],
    ['a URL of 5 kB', 414, 'input_invalid', [`GET /v1/products?${'x'.repeat(5_000)} HTTP/1.1`, host]],
    ['an expectation', 417, 'input_invalid', [get, host, 'expect: 200-ok']],
    ['CONNECT', 404, 'route_not_found', ['CONNECT bank.example:443 HTTP/1.1', host]],
    ['TRACE', 404, 'route_not_found', ['TRACE / HTTP/1.1', host]],
    ['PROPFIND', 404, 'route_not_found', ['PROPFIND / HTTP/1.1', host]],
    [
      'OPTIONS without CORS',
      404,
      'route_not_found',
      ['OPTIONS /v1/orders HTTP/1.1', host, 'origin: https://a.example'],
    ],
    ['a proxy request', 401, 'unauthenticated', ['GET http://bank.example/v1/me HTTP/1.1', 'host: bank.example']],
    [
      'a body of 300 kB',
      413,
      'body_too_large',
      ['POST /v1/auth/login HTTP/1.1', host, 'content-type: application/json', 'content-length: 300000'],
    ],
    ['a way out of the folder', 404, 'route_not_found', ['GET /assets/../../package.json HTTP/1.1', host]],
    ['an encoded way out', 404, 'route_not_found', ['GET /assets/%2e%2e/%2e%2e/package.json HTTP/1.1', host]],
    ['a way out by backslashes', 404, 'route_not_found', ['GET /assets/..\\..\\package.json HTTP/1.1', host]],
    ['a null character', 404, 'route_not_found', ['GET /assets/board.js%00.svg HTTP/1.1', host]],
    ['a folder', 404, 'route_not_found', ['GET /assets/ HTTP/1.1', host]],
  ])('%s is answered with %i %s', async (_name, status, code, head) => {
    expectProblem(await ask(...head), status, code);
  });

  it.each<[string, number, string, string]>([
    ['HTTP/2', 400, 'input_invalid', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a bare line feed', 400, 'input_invalid', 'GET /healthz HTTP/1.1\nhost: x\n\n'],
    ['a folded header', 400, 'input_invalid', 'GET /healthz HTTP/1.1\r\nhost: x\r\nx-a: 1\r\n 2\r\n\r\n'],
    [
      'a chunk extension without end',
      413,
      'body_too_large',
      `POST /v1/auth/login HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2;${'x'.repeat(20_000)}`,
    ],
  ])('%s is answered with %i %s on the bare connection', async (_name, status, code, request) => {
    expectProblem(await speakRaw(engine.web.url, request), status, code);
  });

  it('is heard as far as it is plain HTTP: an upgrade, HTTP/1.0, a part of a file that is not there', async () => {
    const socket = await openSocket(engine.web.url);
    socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
    const [first] = await once(socket, 'data');
    expect(parseAnswer(String(first)).status).toBe(200);
    socket.write('GET /v1/me HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'); // it stayed HTTP
    expect(parseAnswer(await readToEnd(socket)).status).toBe(401);

    expect((await ask('GET /v1/board HTTP/1.0')).status).toBe(200);
    const outOfRange = await ask('GET /assets/board.js HTTP/1.1', host, 'range: bytes=99999999-');
    expectProblem(outOfRange, 416, 'input_invalid');
  });
});

it('says nothing in the middle of an answer that is under way', async () => {
  const socket = await openSocket(engine.web.url);
  socket.write('GET /v1/board/stream HTTP/1.1\r\nhost: x\r\n\r\n');
  await once(socket, 'data');
  socket.write('no HTTP\r\n\r\n');
  const rest = await readToEnd(socket).catch(() => '');
  expect(rest).not.toMatch(/HTTP\/1.1|input_invalid/);
});

it('is told by the document, of every operation: a URL that is too long, an expectation', async () => {
  const contract = await Contract.read(engine.web.url);
  for (const { method, path, operation } of contract.routes)
    for (const status of [414, 417])
      expect(
        contract.answerOf(operation, status)?.content?.['application/problem+json']?.schema,
        `${method} ${path} ${status}`,
      ).toMatchObject({
        allOf: [{}, { properties: { status: { const: status }, code: { enum: ['input_invalid'] } } }],
      });
});

describe('the address that a proxy tells', () => {
  it.each([
    ['with ports', (index: number) => `203.0.113.90:${4_000 + index}`],
    ['in brackets', (index: number) => `[2001:db8:90::${index}]:${4_000 + index}`],
    [
      'mapped from IPv4',
      (index: number) => ['198.51.100.8', '::ffff:198.51.100.8', '::ffff:c633:6408'][index % 3] ?? '',
    ],
    ['as no address', (index: number) => `unknown-${index}`],
  ])('is one for the limits and the failed sign-ins, %s', async (_name, addressOf) => {
    const limited = await startEngine('postgres', {
      roles: [],
      env: { TRUST_PROXY: 'loopback', RATE_LIMIT_PER_MINUTE: '5' },
    });
    try {
      const products = async (index: number) =>
        (await limited.api.call('GET', '/v1/products', { headers: { 'x-forwarded-for': addressOf(index) } })).status;
      const statuses: number[] = [];
      for (let index = 0; index < 6; index++) statuses.push(await products(index));
      expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
      const guesses: number[] = [];
      for (let index = 0; index < 21; index++) {
        const body = { email: `nobody${index}@example.com`, password: 'a guess' };
        const headers = { 'x-forwarded-for': addressOf(index) };
        guesses.push((await limited.api.call('POST', '/v1/auth/login', { headers, body })).status);
      }
      expect(guesses).toEqual([...Array(20).fill(401), 429]);
    } finally {
      await limited.close();
    }
  });
});

describe('a fault of our own', () => {
  it('says nothing of our inside, in a call and in Bull Board', async () => {
    const broken = await startEngine('postgres', { roles: [] });
    await broken.api.tokenOf(manager);
    const [queueTable] = await broken.database.query<{ name: string }>(
      "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('public', 'pg_catalog', 'information_schema') AND tablename LIKE '%job%' ORDER BY length(tablename) LIMIT 1",
    );
    await broken.database.query('ALTER TABLE orders RENAME COLUMN note TO hidden_note');
    await broken.database.query(`ALTER TABLE ${queueTable?.name} RENAME TO hidden_jobs`);
    try {
      for (const [path, options] of [
        ['/v1/orders', { as: manager }],
        ['/admin/queues/api/queues', { headers: adminHeader }],
      ] as const) {
        const answer = await broken.api.call<Problem>('GET', path, options);
        expect(answer.status, `${path} ${JSON.stringify(answer.body)}`).toBe(500);
        expect(answer.headers.get('content-type')).toBe('application/problem+json');
        expect(answer.body).toEqual({
          type: 'about:blank',
          title: 'Internal error',
          status: 500,
          code: 'internal_error',
          detail: 'Something went wrong on our side.',
        });
      }
    } finally {
      await broken.close();
    }
  });

  it('does not keep a server that has too much to do from saying that it lives', async () => {
    const busy = await startEngine('postgres', { roles: [], env: { OVERLOAD_EVENT_LOOP_DELAY: '50ms' } });
    const block = () => {
      const until = performance.now() + 200;
      while (performance.now() < until);
    };
    const probes = async () => [
      (await busy.api.call('GET', '/healthz')).status,
      (await busy.api.call('GET', '/readyz')).status,
    ];
    try {
      let answer = await busy.api.call<Problem>('GET', '/v1/products');
      expect(answer.status).toBe(200);
      for (let round = 0; round < 40 && answer.status !== 503; round++) {
        block();
        answer = await busy.api.call<Problem>('GET', '/v1/products');
      }
      expect(answer).toMatchObject({ status: 503, body: { code: 'service_unavailable' } });
      expect(answer.headers.get('retry-after')).toBe('2');
      expect(await probes()).toEqual([200, 200]);
      await expect.poll(() => busy.api.call('GET', '/v1/products'), { timeout: 10_000 }).toMatchObject({ status: 200 });
      expect((await busy.api.call('GET', '/v1/orders', { as: normal })).status).toBe(200);
    } finally {
      await busy.close();
    }
  });
});
