import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { type PrivateRedis, startPrivateRedis } from './private-redis.ts';
import { findProcess, waitUntil } from './running-process.ts';
import { findRedis } from './test-redis.ts';

const launcher = path.join(import.meta.dirname, 'private-redis.ts');
let redis: PrivateRedis | undefined;
afterEach(() => redis?.stop());

async function withClient<Result>(url: string, use: (client: Redis) => Promise<Result>): Promise<Result> {
  const client = new Redis(url);
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}

describe('a private Redis', () => {
  it('evicts nothing, writes nothing, and forgets all when it is restarted', async () => {
    redis = await startPrivateRedis();
    const before = redis.pid;
    await withClient(redis.url, async (client) => {
      expect(await client.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
      await client.set('kept', 'no');
    });
    await redis.restart('SIGKILL');
    expect(redis.pid).not.toBe(before);
    expect(await withClient(redis.url, (client) => client.dbsize())).toBe(0);
  });

  it('keeps its data over a restart when asked to', async () => {
    redis = await startPrivateRedis({ options: { appendonly: 'yes', appendfsync: 'always' } });
    await withClient(redis.url, (client) => client.set('kept', 'yes'));
    await redis.restart('SIGKILL');
    expect(await withClient(redis.url, (client) => client.get('kept'))).toBe('yes');
  });

  it('ends when the process that started it is killed', async () => {
    const script = `import { startPrivateRedis } from ${JSON.stringify(launcher)};
      console.log((await startPrivateRedis()).pid); setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(createInterface({ input: parent.stdout }), 'line');
    expect(findProcess(Number(line))).not.toBeNull();
    parent.kill('SIGKILL');
    expect(await waitUntil(() => findProcess(Number(line)) === null, 5_000)).toBe(true);
  });
});

describe('the Redis of a test run', () => {
  afterEach(() => {
    delete process.env.TEST_REDIS_URL;
  });

  it('is the given one while that is empty, and never one that holds something', async () => {
    redis = await startPrivateRedis();
    process.env.TEST_REDIS_URL = redis.url;
    expect((await findRedis(() => {})).url).toBe(redis.url);
    await withClient(redis.url, async (client) => {
      await client.select(3);
      await client.set('precious', '1');
    });
    await expect(findRedis(() => {})).rejects.toThrow(/must be an empty instance, it holds db3/);
  });

  it('is never on another machine', async () => {
    process.env.TEST_REDIS_URL = 'redis://redis.example.test:6379';
    await expect(findRedis(() => {})).rejects.toThrow(/must be on loopback/);
  });
});
