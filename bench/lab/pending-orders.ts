import type { QueueStore } from '../../queues/backend.ts';
import { laneQueues } from '../../queues/lanes.ts';
import type { Lane } from '../../src/domain/lane.ts';
import type { LabDatabase } from './lab-database.ts';

const jobsAtOnce = 1_000;

/*
 * Rows as the intake writes them: two items, one event, time-ordered keys, an idempotency key each. No outbox rows, as after
 * the hand-over.
 */
const insertText = `
  WITH placed AS (
    INSERT INTO orders (id, user_id, lane, status, due_seq, total_minor, currency, payment_method, idempotency_key, request_hash)
    SELECT (lpad(to_hex(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7' || substr(md5(random()::text), 1, 3)
             || '8' || substr(md5(random()::text), 1, 15))::uuid,
           customer.ids[1 + n % cardinality(customer.ids)], $2, 'pending', nextval('order_due_seq'), 800, 'EUR', 'counter',
           md5(random()::text), sha256(n::text::bytea)
    FROM generate_series(1, $1) n, (SELECT array_agg(id) AS ids FROM users) customer
    RETURNING id, number, lane
  ), items AS (
    INSERT INTO order_items (order_id, line, sku, name, quantity, unit_price_minor)
    SELECT id, line, 'product-' || line, 'Product ' || line, line, 100 * line FROM placed, generate_series(1, 2) line
  ), events AS (
    INSERT INTO order_events (order_number, lane, type, to_status, attempt, actor)
    SELECT number, lane, 'placed', 'pending', 0, 'customer' FROM placed ORDER BY number
  )
  SELECT number FROM placed ORDER BY number`;

/** Writes pending orders in one statement, without their jobs; gives their numbers in order. */
export async function writePendingOrders(database: LabDatabase, lane: Lane, count: number): Promise<number[]> {
  const rows = await database.query<{ number: string }>(insertText, [count, lane]);
  return rows.map((row) => Number(row.number));
}

/** The jobs of these orders, in the form that the hand-over gives them. */
export async function addOrderJobs(store: QueueStore, lane: Lane, orderNumbers: readonly number[]): Promise<void> {
  const definition = laneQueues[lane];
  for (let from = 0; from < orderNumbers.length; from += jobsAtOnce) {
    const jobs = orderNumbers.slice(from, from + jobsAtOnce).map((orderNumber) => ({ orderNumber, enqueueNo: 1 }));
    await store
      .queue(definition.name)
      .addBulk(jobs.map((data) => ({ name: 'order', data, opts: { jobId: definition.jobId(data) } })));
  }
}

export async function insertBots(database: LabDatabase, count: number): Promise<void> {
  await database.query('INSERT INTO bots (id) SELECT gen_random_uuid() FROM generate_series(1, $1)', [count]);
}
