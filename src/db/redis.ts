import { Redis } from 'ioredis';
import type { Logger } from '../log.ts';

/** For caches and rate limits, which nobody waits for: a Redis that is away fails at once. The queues have their own connections. */
export function openRedis(url: string, log: Logger): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: 500,
    connectTimeout: 5_000,
    retryStrategy: (times) => Math.min(times * 50, 500),
  });
  redis.on('error', (error) => log.debug({ error: error.message }, 'cache connection'));
  return redis;
}
