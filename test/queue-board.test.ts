import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
    await until(
      'one order in each lane',
      async () => (await waitingByName()).join() === 'orders-vip 1,orders-normal 1',
    );
  });
});
