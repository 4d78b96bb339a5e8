import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../src/db/pool.ts';
import { openRedis } from '../src/db/redis.ts';
import { createLog } from '../src/log.ts';
import { SessionCache } from '../src/operations/session-cache.ts';
import { normal, samplePassword } from './support/api.ts';
import { databaseUrl } from './support/database.ts';
import { type Engine, startEngine } from './support/engine.ts';
import { until } from './support/until.ts';

describe('the session cache with Redis', () => {
  let engine: Engine;
  let redis: Redis;
  const log = createLog('fatal', 'test');
  beforeAll(async () => {
    engine = await startEngine('redis', { roles: [] });
    redis = new Redis(engine.config.redisUrl ?? '');
  });
  afterAll(async () => {
    redis.disconnect();
    await engine.close();
  });

  const startSession = async (): Promise<string> => {
    const body = { email: normal, password: samplePassword };
    await engine.api.call('POST', '/v1/auth/login', { body });
    const [session] = await engine.database.query('SELECT id FROM sessions ORDER BY created_at DESC LIMIT 1');
    return session?.id;
  };
  const keyOf = (sessionId: string) => `${engine.config.queuePrefix}:session:${sessionId}`;
  /** What a web process that was just started holds. */
  const openCache = async ({ redisUrl = engine.config.redisUrl ?? '', distrustMs = 0, isDeaf = false } = {}) => {
    const database = await openDatabase(engine.database.url, log);
    const connection = openRedis(redisUrl, log);
    if (redisUrl === engine.config.redisUrl) await until('redis', () => connection.status === 'ready');
    const cache = new SessionCache({
      database: isDeaf ? { ...database, url: databaseUrl('postgres') } : database, // notices do not cross databases
      redis: connection,
      prefix: engine.config.queuePrefix,
      log,
      distrustMs,
    });
    return {
      cache,
      connection,
      async close() {
        await cache.close();
        connection.disconnect();
        await database.close();
      },
    };
  };
  /** Behind everybody's back: only who asks Postgres can know. */
  const endUnnoticed = (sessionId: string) =>
    engine.database.query("UPDATE sessions SET ended_at = now(), end_reason = 'signed_out' WHERE id = $1", [sessionId]);

  it('shares what one process found with the next', async () => {
    const sessionId = await startSession();
    const first = await openCache();
    expect(await first.cache.find(sessionId)).toMatchObject({ email: normal, role: 'NORMAL' });
    await until('stored', async () => (await redis.exists(keyOf(sessionId))) === 1);
    expect(await redis.ttl(keyOf(sessionId))).toBeLessThanOrEqual(30);
    await endUnnoticed(sessionId);
    const second = await openCache();
    expect(await second.cache.find(sessionId)).toMatchObject({ email: normal });
    await second.cache.forget([sessionId]);
    expect(await second.cache.find(sessionId)).toBeNull();
    await Promise.all([first.close(), second.close()]);
  });

  it('lets no late reader store what was true before a change', async () => {
    const sessionId = await startSession();
    const one = await openCache();
    const reading = one.cache.find(sessionId); // has asked Redis and Postgres before the mark is there
    await one.cache.forget([sessionId]);
    expect(await reading).toMatchObject({ email: normal });
    expect(await one.cache.find(sessionId)).toMatchObject({ email: normal }); // still open: asked of Postgres
    expect(await redis.get(keyOf(sessionId))).toBe('changed');
    await endUnnoticed(sessionId);
    const other = await openCache();
    expect(await other.cache.find(sessionId)).toBeNull();
    await Promise.all([one.close(), other.close()]);
  });

  it('does not keep what was looked up before a change', async () => {
    const sessionId = await startSession();
    const { cache, close } = await openCache();
    const reading = cache.find(sessionId);
    await endUnnoticed(sessionId);
    await cache.forget([sessionId]);
    await reading;
    expect(await cache.find(sessionId)).toBeNull();
    await close();
  });

  it('believes nothing that is in Redis for a while after a connection: a mark may be missing there', async () => {
    const sessionId = await startSession();
    await endUnnoticed(sessionId);
    const [user] = await engine.database.query('SELECT id FROM users WHERE email = $1', [normal]);
    const stale = JSON.stringify({ userId: user?.id, email: normal, role: 'NORMAL' });
    await redis.set(keyOf(sessionId), stale, 'EX', 30);
    const wary = await openCache({ distrustMs: 500 });
    expect(await wary.cache.find(sessionId)).toBeNull();
    await wary.close();
    const trusting = await openCache({ distrustMs: 0 });
    expect(await trusting.cache.find(sessionId)).toMatchObject({ email: normal });
    await trusting.close();
  });

  it('is wary again after the connection was lost', async () => {
    const sessionId = await startSession();
    const { cache, connection, close } = await openCache({ distrustMs: 400 });
    await delay(450);
    expect(await cache.find(sessionId)).toMatchObject({ email: normal });
    await until('stored', async () => (await redis.exists(keyOf(sessionId))) === 1);
    connection.disconnect(true);
    await until('connection lost', () => connection.status !== 'ready');
    await endUnnoticed(sessionId);
    await cache.forget([sessionId]); // no mark can be set now
    await until('connected again', () => connection.status === 'ready');
    expect(await cache.find(sessionId)).toBeNull();
    await close();
  });

  it('forgets within a second where no notice comes', async () => {
    const sessionId = await startSession();
    const { cache, close } = await openCache({ redisUrl: 'redis://127.0.0.1:1', isDeaf: true });
    expect(await cache.find(sessionId)).toMatchObject({ email: normal });
    await endUnnoticed(sessionId);
    const endedAt = performance.now();
    await until('forgotten', async () => (await cache.find(sessionId)) === null, 5_000);
    expect(performance.now() - endedAt).toBeLessThan(3 * 1_000);
    await close();
  });

  it('asks Postgres where Redis cannot be reached', async () => {
    const sessionId = await startSession();
    const { cache, close } = await openCache({ redisUrl: 'redis://127.0.0.1:1' });
    expect(await cache.find(sessionId)).toMatchObject({ email: normal });
    await endUnnoticed(sessionId);
    await cache.forget([sessionId]);
    expect(await cache.find(sessionId)).toBeNull();
    await close();
  });
});
