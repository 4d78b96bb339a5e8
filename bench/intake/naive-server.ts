/** The usual way: one transaction per order, by named prepared statements, then `Queue.add`, then the answer. */
import pg from 'pg';
import { openQueueStore } from '../../queues/backend.ts';
import { laneQueues } from '../../queues/lanes.ts';
import type { OrderDraft } from '../../src/db/order-intake.ts';
import { serveBench } from '../lab/serve-bench.ts';
import { startOrderApp } from './order-app.ts';

const { DATABASE_URL = '', REDIS_URL = '', QUEUE_PREFIX = '', JWT_SECRET = '' } = process.env;
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });
const queues = openQueueStore({
  databaseUrl: DATABASE_URL,
  redisUrl: REDIS_URL,
  prefix: QUEUE_PREFIX,
  role: 'producer',
  onError: (error) => console.error(error.message),
});

const insertOrder = {
  name: 'insert-order',
  text: `INSERT INTO orders (id, user_id, lane, status, due_seq, total_minor, currency, payment_method, customer_name, note, idempotency_key, request_hash)
         VALUES ($1, $2, $3, 'pending', nextval('order_due_seq'), $4, $5, $6, $7, $8, $9, decode($10, 'hex'))
         RETURNING number, (extract(epoch FROM placed_at) * 1000)::float8 AS at`,
};
const insertItems = {
  name: 'insert-items',
  text: `INSERT INTO order_items (order_id, line, sku, name, quantity, unit_price_minor)
         SELECT $1, item.* FROM unnest($2::smallint[], $3::text[], $4::text[], $5::int[], $6::bigint[]) item`,
};
const insertEvent = {
  name: 'insert-event',
  text: `INSERT INTO order_events (order_number, lane, type, to_status, attempt, actor) VALUES ($1, $2, 'placed', 'pending', 0, $3)`,
};
const insertOutbox = {
  name: 'insert-outbox',
  text: `INSERT INTO outbox (queue, jobs, available_at) VALUES ($1, $2, now() + interval '2 seconds') RETURNING id`,
};
const deleteOutbox = { name: 'delete-outbox', text: 'DELETE FROM outbox WHERE id = $1' };

async function write(draft: OrderDraft): Promise<{ number: number; placedAt: number; outboxId: string }> {
  const { id, lane, items } = draft;
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const order = await client.query<{ number: string; at: number }>({
      ...insertOrder,
      values: [
        ...[
          id,
          draft.userId,
          lane,
          draft.totalMinor,
          draft.currency,
          draft.paymentMethod,
          draft.customerName,
          draft.note,
        ],
        ...[draft.idempotencyKey, draft.requestHash],
      ],
    });
    const number = Number(order.rows[0]?.number);
    await client.query({
      ...insertItems,
      values: [
        id,
        items.map((_item, index) => index + 1),
        items.map((item) => item.sku),
        items.map((item) => item.name),
        items.map((item) => item.quantity),
        items.map((item) => item.unitPriceMinor),
      ],
    });
    await client.query({ ...insertEvent, values: [number, lane, draft.actor] });
    const jobs = JSON.stringify([{ orderNumber: number, enqueueNo: 1 }]);
    const outbox = await client.query<{ id: string }>({ ...insertOutbox, values: [laneQueues[lane].name, jobs] });
    await client.query('COMMIT');
    return { number, placedAt: order.rows[0]?.at ?? 0, outboxId: outbox.rows[0]?.id ?? '' };
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

/** Requests that the end of the load cut off are finished all the same. */
const underWay = new Set<Promise<unknown>>();

async function store(draft: OrderDraft): Promise<{ number: number; placedAt: number }> {
  const { number, placedAt, outboxId } = await write(draft);
  const definition = laneQueues[draft.lane];
  const data = { orderNumber: number, enqueueNo: 1 };
  await queues.queue(definition.name).add('order', data, { jobId: definition.jobId(data) });
  await pool.query({ ...deleteOutbox, values: [outboxId] });
  return { number, placedAt };
}

const app = await startOrderApp(DATABASE_URL, JWT_SECRET, (draft) => {
  const storing = store(draft).finally(() => underWay.delete(storing));
  underWay.add(storing);
  return storing;
});

serveBench({
  ready: { url: app.url },
  async close() {
    await app.close();
    await Promise.allSettled(underWay);
    await queues.close();
    await pool.end();
  },
});
