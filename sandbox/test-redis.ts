import { Redis } from 'ioredis';
import { startPrivateRedis } from './private-redis.ts';

const loopback = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** The Redis of a test run: TEST_REDIS_URL when that is given and can do no harm, one of our own otherwise. */
export async function findRedis(log: (line: string) => void): Promise<{ url: string; stop(): Promise<void> }> {
  const given = process.env.TEST_REDIS_URL;
  if (!given) return startPrivateRedis({ log });
  await refuseRedisInUse(given);
  return { url: given, stop: async () => {} };
}

/** Tests flush what they are given, so it must hold nothing, and must be nobody else's machine. */
async function refuseRedisInUse(url: string): Promise<void> {
  if (!loopback.has(new URL(url).hostname)) throw new Error('TEST_REDIS_URL must be on loopback: the tests flush it');
  const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null });
  redis.on('error', () => {}); // said by the rejection below
  try {
    await redis.connect();
    const keyspace = await redis.info('keyspace');
    const databases = keyspace.match(/^db\d+:keys=\d+/gm) ?? [];
    if (databases.length > 0)
      throw new Error(`TEST_REDIS_URL must be an empty instance, it holds ${databases.join(', ')}`);
  } finally {
    redis.disconnect();
  }
}
