import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allQueues } from '../queues/all-queues.ts';
import { startPrivateRedis } from '../sandbox/private-redis.ts';
import type { Problem } from './support/api.ts';
import { adminHeader, backends, type Engine, startEngine } from './support/engine.ts';
import { until } from './support/until.ts';

describe.each(backends)('Bull Board on %s', (backend) => {
  let engine: Engine;

  beforeAll(async () => {
    engine = await startEngine(backend, { roles: [] });
  });
  afterAll(() => engine.close());

  it('asks a browser for the password, page and API alike, and lets nobody else in', async () => {
    const wrong = { authorization: `Basic ${Buffer.from('admin:wrong-password').toString('base64')}` };
    for (const path of ['/admin/queues', '/admin/queues/api/queues']) {
      for (const headers of [{}, wrong, { authorization: 'Bearer abc' }]) {
        const answer = await engine.api.call('GET', path, { headers });
        expect(answer).toMatchObject({ status: 401, body: { code: 'admin_credentials_invalid' } });
        expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm=/);
      }
    }
  });

  it('shows every queue with what waits in it', async () => {
    await engine.api.place('vip');
    await engine.api.place('normal');
    expect((await engine.api.call('GET', '/admin/queues', { headers: adminHeader })).body).toContain('twolane queues');
    const listQueues = () =>
      engine.api.call<{ queues: { name: string; counts: { waiting: number } }[] }>('GET', '/admin/queues/api/queues', {
        headers: adminHeader,
      });
    const waitingByName = async () =>
      (await listQueues()).body.queues.map(({ name, counts }) => `${name} ${counts.waiting}`);
    await until('one order in each lane', async () => {
      const waiting = await waitingByName();
      return ['orders-vip 1', 'orders-normal 1'].every((lane) => waiting.includes(lane));
    });
    expect((await listQueues()).body.queues.map(({ name }) => name)).toEqual(allQueues.map(({ name }) => name));
  });
});

const queueCalls = [
  ['GET', '/v1/admin/queues'],
  ['GET', '/admin/queues/api/queues'],
  ['PUT', '/admin/queues/api/queues/orders-vip/pause'],
  ['POST', '/v1/admin/queues/rebuild'],
] as const;

describe('a Redis that is away', () => {
  it('makes Bull Board and the calls of the queues a 503, and they work when it is back', {
    timeout: 60_000,
  }, async () => {
    const redis = await startPrivateRedis();
    const engine = await startEngine('redis', { roles: [], env: { REDIS_URL: redis.url } });
    const ask = (method: string, path: string) => engine.api.call<Problem>(method, path, { headers: adminHeader });
    const statuses = async () =>
      Promise.all(queueCalls.map(async ([method, path]) => (await ask(method, path)).status));
    try {
      expect(await statuses()).toEqual([200, 200, 200, 200]);
      for (const signal of ['SIGSTOP', 'SIGKILL'] as const) {
        process.kill(redis.pid, signal);
        // A connection that is lost says one thing after the other.
        for (let times = 0; times < (signal === 'SIGSTOP' ? 1 : 10); times++) {
          const answers = await Promise.all(queueCalls.map(([method, path]) => ask(method, path)));
          for (const [index, answer] of answers.entries()) {
            expect(answer, `${signal}: ${queueCalls[index]?.join(' ')}`).toMatchObject({
              status: 503,
              body: { code: 'service_unavailable', detail: expect.stringMatching(/^The queue store/) },
            });
            expect(answer.headers.get('retry-after')).toBe('2');
          }
        }
        if (signal === 'SIGSTOP') process.kill(redis.pid, 'SIGCONT');
        else await redis.restart();
        await until('Redis to answer', async () => (await statuses()).join() === '200,200,200,200', 20_000);
      }
    } finally {
      await redis.restart('SIGKILL'); // it may be frozen, and closing asks it
      await engine.close();
      await redis.stop();
    }
  });
});
