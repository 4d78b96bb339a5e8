import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../test/support/until.ts';
import { sharedCountsIn } from './shared-counts.ts';

const prefix = `{t${randomBytes(6).toString('hex')}}:`;
let redis: Redis;
let calls = 0;

beforeAll(() => {
  redis = new Redis(process.env.TEST_REDIS_URL ?? '');
});
afterAll(async () => {
  const keys = await redis.keys(`${prefix.replaceAll(/[{}]/g, '\\$&')}*`);
  if (keys.length > 0) await redis.unlink(keys);
  redis.disconnect();
});

/** What a web process knows; counts its calls to Redis. */
function openCounts() {
  const counted: Pick<Redis, 'eval'> = {
    eval: ((...given: Parameters<Redis['eval']>) => {
      calls++;
      return redis.eval(...given);
    }) as Redis['eval'],
  };
  const counts = new (sharedCountsIn(counted, prefix))();
  return (key: string, max: number, windowMs = 60_000) =>
    new Promise<{ current: number; ttl: number }>((resolve, reject) => {
      counts.incr(
        key,
        (error, answer) => (answer ? resolve(answer) : reject(error ?? new Error('no answer'))),
        windowMs,
        max,
      );
    });
}

describe('shared counts', () => {
  it('are exact where the limit is small', async () => {
    const [here, there] = [openCounts(), openCounts()];
    const seen: number[] = [];
    for (const count of [here, there, there, here, there, here, here]) seen.push((await count('small', 5)).current);
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it.each([
    ['one after the other', 1],
    ['eight at a time', 8],
  ])('refuse nobody too early, few too late, and ask seldom: %s', async (name, width) => {
    const processes = [openCounts(), openCounts(), openCounts(), openCounts()];
    const max = 2_000;
    let served = 0;
    const before = calls;
    for (let at = 0; at < 3_000; at += width) {
      const answers = Array.from({ length: width }, (_, beside) => processes[(at + beside) % 4]!(name, max));
      for (const { current, ttl } of await Promise.all(answers)) {
        if (current <= max) served++;
        expect(ttl).toBeGreaterThan(0);
      }
    }
    expect(served).toBeGreaterThanOrEqual(max);
    expect(served).toBeLessThan(max * 1.02);
    expect(calls - before).toBeLessThan(1_000); // of 3,000, of which 1,000 were over the limit and asked nobody
  });

  it('hold while Redis has not answered yet', async () => {
    const count = openCounts();
    await count('flood', 2_000);
    const answers = await Promise.all(Array.from({ length: 3_000 }, () => count('flood', 2_000)));
    expect(answers.filter(({ current }) => current <= 2_000)).toHaveLength(1_999);
  });

  it('hear of others within a second, however much is left', async () => {
    const [here, there] = [openCounts(), openCounts()];
    await here('idle', 1_000_000);
    await there('idle', 1_000_000);
    for (let times = 0; times < 5_000; times++) await there('idle', 1_000_000);
    await until('the others', async () => {
      await there('idle', 1_000_000); // whoever serves nobody has told nobody, and takes nothing from anybody
      return (await here('idle', 1_000_000)).current > 5_000;
    });
  });

  it('begin anew when the window is over', async () => {
    const count = openCounts();
    for (let times = 0; times < 4; times++) await count('short', 3, 300);
    expect((await count('short', 3, 300)).current).toBeGreaterThan(3);
    await until('a new window', async () => (await count('short', 3, 300)).current === 1, 2_000);
    expect(await redis.pttl(`${prefix}short`)).toBeGreaterThan(0);
  });

  it('fail where Redis does, for the caller to let pass', async () => {
    const counts = new (sharedCountsIn(
      { eval: () => Promise.reject(new Error('away')) } as Pick<Redis, 'eval'>,
      prefix,
    ))();
    const failed = await new Promise((resolve) => counts.incr('away', resolve, 60_000, 5));
    expect(failed).toEqual(new Error('away'));
  });
});
