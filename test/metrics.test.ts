import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminHeader, backends, type Engine, startEngine } from './support/engine.ts';
import { until } from './support/until.ts';

describe.each(backends)('GET /metrics on %s', (backend) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine(backend, { roles: [] });
  });
  afterAll(() => engine.close());

  const read = async () => {
    const answer = await engine.api.call<string>('GET', '/metrics', { headers: adminHeader });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch('text/plain');
    return answer.body;
  };
  const figure = (text: string, name: string) => {
    const line = text.split('\n').find((one) => one.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length + 1));
  };

  it('tells how many orders wait and for how long, what the bots do, and what the queues hold', async () => {
    for (const lane of ['vip', 'normal', 'normal'] as const) await engine.api.place(lane);
    await engine.api.addBot();
    const text = await until('handed over', async () => {
      const now = await read();
      return figure(now, 'twolane_queue_jobs{queue="orders-normal",state="waiting"}') === 2 && now;
    });
    expect(figure(text, 'twolane_waiting_orders{lane="vip"}')).toBe(1);
    expect(figure(text, 'twolane_waiting_orders{lane="normal"}')).toBe(2);
    expect(figure(text, 'twolane_oldest_waiting_order_seconds{lane="normal"}')).toBeGreaterThan(0);
    expect(figure(text, 'twolane_bots{status="unassigned"}')).toBe(1);
    expect(figure(text, 'twolane_outbox_jobs')).toBe(0);
    expect(figure(text, 'twolane_queue_paused{queue="orders-vip"}')).toBe(0);
    expect(figure(text, 'twolane_reachable{part="database"}')).toBe(1);
    expect(figure(text, 'twolane_nodejs_eventloop_lag_seconds')).toBeGreaterThanOrEqual(0);
  });

  it('counts requests by their route, not by their path', async () => {
    for (let number = 1; number <= 3; number++) await engine.api.call('GET', `/v1/orders/${number}`);
    await engine.api.call('GET', '/nowhere/at/all');
    const text = await read();
    const count = 'twolane_http_request_duration_seconds_count';
    expect(figure(text, `${count}{method="GET",route="/v1/orders/:number",status="401"}`)).toBe(3);
    expect(figure(text, `${count}{method="GET",route="none",status="404"}`)).toBe(1);
    expect(text).not.toContain('/nowhere');
  });
});

describe('GET /metrics without a queue store', () => {
  it('still tells the rest, and what it could not read', async () => {
    const engine = await startEngine('postgres', { roles: [] });
    await engine.database.query('ALTER TABLE bullmq.twolane_marker RENAME TO hidden');
    const { body } = await engine.api.call<string>('GET', '/metrics', { headers: adminHeader });
    expect(body).toContain('twolane_reachable{part="queue_store"} 0');
    expect(body).toContain('twolane_reachable{part="database"} 1');
    expect(body).not.toMatch(/^twolane_queue_jobs\{/m);
    expect(body).toContain('twolane_waiting_orders{lane="vip"} 0');
    await engine.close();
  });
});
