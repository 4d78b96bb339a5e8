import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { normal, type Problem } from './support/api.ts';
import { adminHeader, type Engine, startEngine } from './support/engine.ts';
import { startOwnPostgres } from './support/own-postgres.ts';
import { until } from './support/until.ts';

const page = '/admin/queues';
const freeGuesses = 20;
const poolSize = 8;
const basic = (text: string, encoding: BufferEncoding = 'utf8') => ({
  authorization: `Basic ${Buffer.from(text, encoding).toString('base64')}`,
});

let engine: Engine | undefined;
afterEach(async () => {
  await engine?.close();
  engine = undefined;
});

async function start(
  env: Record<string, string> = {},
): Promise<(headers: Record<string, string>, method?: string) => ReturnType<Engine['api']['call']>> {
  const started = await startEngine('postgres', { roles: [], env });
  engine = started;
  return (headers, method = 'GET') =>
    started.api.call<Problem>(method, method === 'GET' ? page : '/v1/admin/queues/rebuild', { headers });
}

describe('the password of the admin', () => {
  it('may hold colons and any letters, composed or not', async () => {
    const ask = await start({ ADMIN_USERNAME: 'Zoë', ADMIN_PASSWORD: 'naïve:käse:✓ 長い' });
    for (const form of ['NFC', 'NFD'] as const)
      expect((await ask(basic('Zoë:naïve:käse:✓ 長い'.normalize(form)))).status).toBe(200);
    for (const wrong of ['Zoë:naïve', 'Zoë:naïve:käse:✓ 長', 'zoë:naïve:käse:✓ 長い', 'naïve:käse:✓ 長い', ':', ''])
      expect(await ask(basic(wrong)), wrong).toMatchObject({
        status: 401,
        body: { code: 'admin_credentials_invalid' },
      });
    expect((await ask(basic('Zoë:naïve:käse:✓ 長い', 'latin1'))).status).toBe(401);
  });

  it.each([
    ['no scheme', Buffer.from('admin:twolane-demo').toString('base64')],
    ['another scheme', adminHeader.authorization.replace('Basic', 'Bearer')],
    ['no base64', 'Basic admin:twolane-demo'],
    ['nothing', 'Basic '],
    ['more after it', `${adminHeader.authorization} x`],
    ['two of them', `${adminHeader.authorization}, ${adminHeader.authorization}`],
  ])('is not accepted with %s', async (_name, authorization) => {
    const ask = await start();
    const answer = await ask({ authorization });
    expect(answer).toMatchObject({ status: 401, body: { code: 'admin_credentials_invalid' } });
    expect(answer.headers.get('www-authenticate')).toBe('Basic realm="twolane", charset="UTF-8"');
    expect((await ask({ authorization: adminHeader.authorization.replace('Basic', 'bAsIc') })).status).toBe(200);
  });

  it('lets nobody in where none is set', async () => {
    const ask = await start({ ADMIN_USERNAME: '', ADMIN_PASSWORD: '' });
    for (const given of [':', '', 'admin:', 'undefined:undefined', 'null:null', 'admin:twolane-demo'])
      expect((await ask(basic(given))).status, given).toBe(401);
    expect((await ask({})).status).toBe(401);
  });

  it('is guessed ever more slowly from one address, and not hindered from another', async () => {
    const ask = await start({ TRUST_PROXY: 'loopback' });
    const here = { 'x-forwarded-for': '2001:db8::1' };
    const neighbour = { 'x-forwarded-for': '2001:db8::ffff:2' }; // in the same network
    const guess = () => ask({ ...basic('admin:guess'), ...here });
    const right = (at: Record<string, string>) => ask({ ...adminHeader, ...at });

    for (let count = 0; count < 5; count++)
      expect((await ask(here)).status, 'asking for the password is no guess').toBe(401);
    for (let count = 0; count < freeGuesses - 1; count++) expect((await guess()).status).toBe(401);
    expect((await right(here)).status, 'a few failures cost nothing').toBe(200);
    expect((await guess()).status).toBe(401);

    const waits: number[] = [];
    for (let round = 0; round < 3; round++) {
      const refused = await right(neighbour);
      expect(refused, 'nor is a right guess told').toMatchObject({ status: 429, body: { code: 'too_many_attempts' } });
      expect((await right({ 'x-forwarded-for': '2001:db8:0:9::1' })).status).toBe(200);
      waits.push(Number(refused.headers.get('retry-after')));
      await until('the wait is over', async () => (await right(here)).status === 200, 10_000);
      expect((await guess()).status).toBe(401);
    }
    expect(waits).toEqual([1, 2, 4]);
  });

  it('is guessed no faster by a hundred at once, not even with the right one among them', async () => {
    const ask = await start({ TRUST_PROXY: 'loopback' });
    const here = { 'x-forwarded-for': '198.51.100.30' };
    const burst = (onRefusal = () => {}) =>
      Promise.all(
        Array.from({ length: 100 }, async (_, index) => {
          const { status } = await ask({ ...basic(`admin:guess ${index}`), ...here });
          if (status === 429) onRefusal();
          return status;
        }),
      );
    const begun = performance.now();
    const compared = (await burst()).filter((status) => status !== 429);
    const seconds = (performance.now() - begun) / 1_000;
    expect(new Set(compared)).toEqual(new Set([401]));
    expect(compared.length).toBeGreaterThanOrEqual(freeGuesses);
    // Where the machine is slow a wait of 1 s, 2 s … is over before the burst is.
    expect(compared.length).toBeLessThanOrEqual(freeGuesses + Math.floor(Math.log2(seconds + 1)));

    await engine?.database.query('UPDATE sign_in_failures SET count = 30, blocked_until = NULL');
    const { promise: refusal, resolve: refused } = Promise.withResolvers<void>();
    const statuses = burst(refused);
    await refusal;
    const right = await ask({ ...adminHeader, ...here });
    expect(right).toMatchObject({ status: 429, body: { code: 'too_many_attempts' } });
    expect((await statuses).filter((status) => status !== 429)).toEqual([401]);
  });

  it('is not counted again where it was right, until the first wrong one', async () => {
    const ask = await start({ TRUST_PROXY: 'loopback' });
    const here = { 'x-forwarded-for': '198.51.100.31' };
    const written = () => engine?.database.query('SELECT xmin::text, count FROM sign_in_failures');
    expect((await ask({ ...adminHeader, ...here })).status).toBe(200);
    const before = await written();
    expect(before).toMatchObject([{ count: 0 }]);
    const page = await Promise.all(Array.from({ length: 30 }, () => ask({ ...adminHeader, ...here })));
    expect(page.map(({ status }) => status)).toEqual(Array(30).fill(200));
    expect(await written(), 'a page of thirty parts writes nothing').toEqual(before);

    await engine?.database.query('UPDATE sign_in_failures SET count = 30');
    const guesses = await Promise.all(
      Array.from({ length: 60 }, (_, index) => ask({ ...basic(`admin:guess ${index}`), ...here })),
    );
    expect(guesses.filter(({ status }) => status === 401)).toHaveLength(1);
    expect((await ask({ ...adminHeader, ...here })).status, 'forgotten by the first of them').toBe(429);
  });

  it('waits for a database that has too much to do, and is not let in by it', { timeout: 60_000 }, async () => {
    const ask = await start({ TRUST_PROXY: 'loopback' });
    const at = (address: string) => ({ ...adminHeader, 'x-forwarded-for': address });
    expect((await ask(at('198.51.100.40'))).status).toBe(200);
    await engine?.api.tokenOf(normal);
    const holder = new pg.Client(engine?.database.url);
    await holder.connect();
    try {
      await holder.query('BEGIN');
      await holder.query('LOCK TABLE orders IN ACCESS EXCLUSIVE MODE');
      const lists = Promise.allSettled(
        Array.from({ length: 40 }, () => engine?.api.call('GET', '/v1/orders', { as: normal })),
      );
      await until('the pool to be full', async () => {
        const waits = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        return ((await engine?.database.query(waits))?.length ?? 0) >= poolSize;
      });
      for (const headers of [at('198.51.100.41'), { ...basic('admin:guess'), 'x-forwarded-for': '198.51.100.41' }]) {
        const answer = await ask(headers);
        expect(answer).toMatchObject({ status: 503, body: { code: 'service_unavailable' } });
        expect(answer.headers.get('retry-after')).toBe('2');
      }
      expect((await ask(at('198.51.100.40'))).status, 'who gave it lately asks no database').toBe(200);
      await holder.query('ROLLBACK');
      await lists;
      expect((await ask(at('198.51.100.41'))).status).toBe(200);
    } finally {
      await holder.end();
    }
  });

  it('opens Bull Board also while the database is away', { timeout: 60_000 }, async () => {
    const postgres = await startOwnPostgres();
    engine = await startEngine('redis', {
      roles: [],
      database: postgres.database,
      env: { TRUST_PROXY: 'loopback' },
    });
    const ask = (headers: Record<string, string>, from: string) =>
      engine?.api.call('GET', page, { headers: { ...headers, 'x-forwarded-for': from } });
    try {
      expect((await ask(adminHeader, '198.51.100.50'))?.status).toBe(200);
      const away = postgres.restart('stop', 3_000);
      await until('the database to be away', async () => (await engine?.api.call('GET', '/readyz'))?.status === 503);
      const asked = performance.now();
      for (const known of ['198.51.100.50', '198.51.100.51']) expect((await ask(adminHeader, known))?.status).toBe(200);
      expect(performance.now() - asked).toBeLessThan(2_500);
      expect((await ask(basic('admin:guess'), '198.51.100.52'))?.status).toBe(401);
      await away;
    } finally {
      await engine.close();
      engine = undefined;
      await postgres.remove();
    }
  });
});

describe('another page that uses the password which the browser of an admin remembers', () => {
  it.each([
    ['fetch of another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, 403],
    ['a page of a neighbour', { 'sec-fetch-site': 'same-site', origin: 'https://evil.shop.example' }, 403],
    ['an old browser, another site', { origin: 'https://evil.example' }, 403],
    ['an old browser, a page in a sandbox', { origin: 'null' }, 403],
    ['our own page', { 'sec-fetch-site': 'same-origin' }, 200],
    ['the address line', { 'sec-fetch-site': 'none' }, 200],
    ['no browser', {}, 200],
  ])('%s: %j → %i', async (_name, headers, status) => {
    const ask = await start();
    const answer = await ask({ ...adminHeader, ...headers }, 'POST');
    expect(answer).toMatchObject({ status, ...(status === 403 && { body: { code: 'forbidden' } }) });
    expect((await ask({ ...adminHeader, ...headers })).status, 'a link to it works').toBe(200);
  });

  it('is told from our own page in an old browser by the host', async () => {
    const ask = await start();
    expect((await ask({ ...adminHeader, origin: engine?.web.url ?? '' }, 'POST')).status).toBe(200);
  });
});
