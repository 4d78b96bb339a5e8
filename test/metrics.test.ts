import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminHeader, backends, type Engine, startEngine } from './support/engine.ts';
import { startMoneyEngine } from './support/money.ts';
import { until } from './support/until.ts';

async function readMetrics({ api }: Engine): Promise<string> {
  const answer = await api.call<string>('GET', '/metrics', { headers: adminHeader });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toMatch('text/plain');
  return answer.body;
}

function figure(text: string, name: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

describe.each(backends)('GET /metrics on %s', (backend) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine(backend, { roles: [] });
  });
  afterAll(() => engine.close());

  const read = () => readMetrics(engine);

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
    expect(body).not.toMatch(/^twolane_(queue_jobs\{|outbox)/m); // not even a 0
    expect(body).toContain('twolane_waiting_orders{lane="vip"} 0');
    await engine.close();
  });
});

describe('GET /metrics of a shop that takes money online', () => {
  it('tells where the money is, what ends soon, and what somebody has to look at', async () => {
    const money = await startMoneyEngine('postgres', { roles: ['payments', 'relay'] });
    const { engine } = money;
    const quiet = await readMetrics(engine);
    expect(figure(quiet, 'twolane_payment_operations_unknown')).toBe(0);
    expect(figure(quiet, 'twolane_payment_looks_failing')).toBe(0);
    expect(figure(quiet, 'twolane_authorisation_next_end_seconds')).toBeUndefined(); // 0 would be an alarm
    expect(figure(quiet, 'twolane_reachable{part="payment_figures"}')).toBe(1);

    await money.placeOnline('paypal');
    const [first, second] = [await money.placeOnline('stripe'), await money.placeOnline('stripe')];
    for (const order of [first, second]) {
      money.pay(order);
      await money.untilAt(order.number, 'pending', 'authorised');
    }
    const set = (text: string, ...values: unknown[]) => engine.database.query(text, values);
    await set("UPDATE payments SET held_until = now() + interval '1 hour' WHERE order_number = $1", first.number);
    const [{ id } = { id: '' }] = await engine.database.query<{ id: string }>(
      'SELECT id FROM payments WHERE order_number = $1',
      [second.number],
    );
    // Nothing of this happens by itself here: the rows are as the engine writes them.
    await set(
      `INSERT INTO payment_operations (payment_id, type, seq, idempotency_key, amount_minor, currency, state, requested_by, first_asked_at)
       VALUES ($1, 'capture', 1, 'key', 240, 'EUR', 'unknown', 'system', now() - interval '90 seconds')`,
      id,
    );
    await set(
      `UPDATE payments SET sync_failures = 3, next_sync_at = now() + interval '1 hour',
         lease_id = gen_random_uuid(), lease_until = now() + interval '1 hour' WHERE id = $1`, // nobody else looks at it
      id,
    );
    await set("INSERT INTO quarantine (payment_id, kind, detail) VALUES ($1, 'amount_differs', 'less came')", id);
    await set(
      `WITH run AS (INSERT INTO reconciliation_runs (provider, from_time, to_time, finished_at)
         VALUES ('stripe', now() - interval '2 days', now(), now() - interval '10 minutes') RETURNING id)
       INSERT INTO reconciliation_differences (provider, kind, about, payment_id, reference, first_seen_run, last_seen_run)
       SELECT 'stripe', 'capture_overdue', 'capture', $1, 'ch_1', id, id FROM run`,
      id,
    );
    await set(
      `INSERT INTO webhook_events (id, provider, event_id, type, occurred_at, object_references, raw_body, source, state, next_try_at)
       VALUES (gen_random_uuid(), 'paypal', 'WH-1', 'PAYMENT.CAPTURE.COMPLETED', now(), '{}', '', 'webhook', 'parked', now() + interval '1 hour')`,
    );

    const text = await readMetrics(engine);
    expect(figure(text, 'twolane_payments{provider="stripe",status="authorised"}')).toBe(2);
    expect(figure(text, 'twolane_payments{provider="paypal",status="requires_payment"}')).toBe(1);
    expect(figure(text, 'twolane_payment_operations_unknown')).toBe(1);
    expect(figure(text, 'twolane_payment_operations_unknown_oldest_seconds')).toBeGreaterThanOrEqual(90);
    expect(figure(text, 'twolane_payment_looks_failing')).toBe(1);
    expect(figure(text, 'twolane_authorisations_ending')).toBe(1);
    const nextEnd = figure(text, 'twolane_authorisation_next_end_seconds');
    expect(nextEnd).toBeGreaterThan(3_500);
    expect(nextEnd).toBeLessThanOrEqual(3_600);
    expect(figure(text, 'twolane_webhook_events{state="parked"}')).toBe(1);
    expect(figure(text, 'twolane_quarantine_cases{kind="amount_differs"}')).toBe(1);
    expect(figure(text, 'twolane_reconciliation_differences{provider="stripe",kind="capture_overdue"}')).toBe(1);
    expect(figure(text, 'twolane_reconciliation_age_seconds{provider="stripe"}')).toBeGreaterThanOrEqual(600);

    // A hold whose payment waits for a manager is not looked at again by itself, and ends all the same.
    await set('UPDATE payments SET next_sync_at = NULL, held_until = now() + $2 WHERE id = $1', id, '30 minutes');
    expect(figure(await readMetrics(engine), 'twolane_authorisations_ending')).toBe(2);
    await money.close();
  });
});
