import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { manager } from './support/api.ts';
import { type Engine, startEngine } from './support/engine.ts';
import { until } from './support/until.ts';

let engine: Engine;

beforeAll(async () => {
  engine = await startEngine('postgres', { roles: [] });
});
afterAll(() => engine.close());

it('records what an order was when its cancellation waits for a start that commits meanwhile', async () => {
  const { number } = await engine.api.place();
  const starting = new pg.Client(engine.database.url);
  await starting.connect();
  await starting.query('BEGIN');
  await starting.query(
    `UPDATE orders SET status = 'processing', attempt = 1, bot_id = gen_random_uuid(), bot_number = 1, started_at = now() WHERE number = $1`,
    [number],
  );
  const cancelling = engine.api.call('POST', `/v1/orders/${number}/cancel`, { as: manager, body: {} });
  await until('the cancellation waits', async () => {
    const waiting = await engine.database.query(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
    return waiting.length > 0;
  });
  await starting.query('COMMIT');
  await starting.end();
  expect((await cancelling).status).toBe(200);
  const moves = await engine.database.query(
    'SELECT from_status, to_status FROM order_events WHERE order_number = $1 ORDER BY id',
    [number],
  );
  expect(moves.at(-1)).toEqual({ from_status: 'processing', to_status: 'cancelled' });
});
