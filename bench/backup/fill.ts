import type { LabDatabase } from '../lab/lab-database.ts';

/** So many in one statement: the memory of the server stays small. */
const atOnce = 100_000;

/** Orders as they are when they are done: two items and three events each. */
const fillText = `
  WITH placed AS (
    INSERT INTO orders (id, user_id, lane, status, due_seq, total_minor, currency, payment_method, idempotency_key, request_hash,
      attempt, placed_at, started_at, completed_at, note)
    SELECT gen_random_uuid(), customer.ids[1 + n % cardinality(customer.ids)], CASE WHEN n % 5 = 0 THEN 'vip' ELSE 'normal' END, 'complete',
           nextval('order_due_seq'), 800, 'EUR', 'counter', md5(random()::text), sha256(n::text::bytea), 1,
           now() - n * interval '1 second', now() - n * interval '1 second', now() - n * interval '1 second',
           CASE WHEN n % 7 = 0 THEN 'without "sugar", please; ' || md5(n::text) END
    FROM generate_series(1, $1) n, (SELECT array_agg(id) AS ids FROM users) customer
    RETURNING id, number, lane
  ), items AS (
    INSERT INTO order_items (order_id, line, sku, name, quantity, unit_price_minor)
    SELECT id, line, 'product-' || line, 'Product ' || line, line, 100 * line FROM placed, generate_series(1, 2) line
  )
  INSERT INTO order_events (order_number, lane, type, from_status, to_status, attempt, actor)
  SELECT number, lane, step.type, step.before, step.after, step.attempt, step.actor FROM placed,
    (VALUES ('placed', NULL, 'pending', 0, 'customer'), ('started', 'pending', 'processing', 1, 'bot'),
            ('completed', 'processing', 'complete', 1, 'bot')) AS step (type, before, after, attempt, actor)`;

export async function fillOrders(database: LabDatabase, count: number, say: (line: string) => void): Promise<void> {
  for (let left = count; left > 0; left -= atOnce) {
    await database.query(fillText, [Math.min(left, atOnce)]);
    say(
      `filling: ${(count - Math.max(0, left - atOnce)).toLocaleString('en')} of ${count.toLocaleString('en')} orders`,
    );
  }
  await database.query('VACUUM ANALYZE');
}
