/**
 * The usual way: a BullMQ Worker on one queue whose processor starts and completes an order as durably as we do, each step in
 * a transaction of its own, by named prepared statements. Arguments: QUEUE CONCURRENCY.
 */
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { type OrderJob, orderJobSchema } from '../../queues/order-job.ts';
import { serveBench } from '../lab/serve-bench.ts';

const { DATABASE_URL = '', REDIS_URL = '', QUEUE_PREFIX = '' } = process.env;
const [queue = '', concurrency = ''] = process.argv.slice(2);
const poolSize = Math.min(Number(concurrency), 20);
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: poolSize });
const { rows: freeBots } = await pool.query<{ id: string; number: number }>(
  'SELECT id, number FROM bots ORDER BY number',
);
const hostId = crypto.randomUUID();

const startOrder = {
  name: 'start-order',
  text: `UPDATE orders SET status = 'processing', attempt = attempt + 1, bot_id = $3, bot_number = $4, host_id = $5, started_at = now(),
           expected_at = NULL, progress = NULL, retry_at = NULL, failure_reason = NULL, updated_at = now()
         WHERE number = $1 AND enqueue_no = $2 AND status = 'pending' RETURNING lane, attempt`,
};
const completeOrder = {
  name: 'complete-order',
  text: `UPDATE orders SET status = 'complete', completed_at = now(), progress = NULL, updated_at = now()
         WHERE number = $1 AND attempt = $2 AND status = 'processing' RETURNING lane, attempt`,
};
const insertEvent = {
  name: 'insert-event',
  text: `INSERT INTO order_events (order_number, lane, type, from_status, to_status, attempt, bot_number, actor)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
};

type Bot = (typeof freeBots)[number];
type Step = {
  type: 'started' | 'completed';
  from: string;
  to: string;
  statement: { name: string; text: string; values: unknown[] };
};

/** One durable step; gives the attempt, or null when the guard refused it. */
async function step(order: OrderJob, bot: Bot, { type, from, to, statement }: Step): Promise<number | null> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const { rows } = await client.query<{ lane: string; attempt: number }>(statement);
    const [moved] = rows;
    if (moved) {
      const values = [order.orderNumber, moved.lane, type, from, to, moved.attempt, bot.number, `bot ${bot.number}`];
      await client.query({ ...insertEvent, values });
    }
    await client.query('COMMIT');
    return moved?.attempt ?? null;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

const connection = new Redis(REDIS_URL, { maxRetriesPerRequest: null });
const worker = new Worker(
  queue,
  async (job) => {
    const order = orderJobSchema.parse(job.data);
    const bot = freeBots.pop();
    if (!bot) throw new Error('more orders in hand than bots');
    const starting = { ...startOrder, values: [order.orderNumber, order.enqueueNo, bot.id, bot.number, hostId] };
    const attempt = await step(order, bot, { type: 'started', from: 'pending', to: 'processing', statement: starting });
    const completing = { ...completeOrder, values: [order.orderNumber, attempt] };
    await step(order, bot, { type: 'completed', from: 'processing', to: 'complete', statement: completing });
    freeBots.push(bot);
  },
  { connection, prefix: QUEUE_PREFIX, concurrency: Number(concurrency), removeOnComplete: { count: 0 } },
);
worker.on('error', (error) => console.error(error.message));

serveBench({
  async close() {
    await worker.close();
    connection.disconnect();
    await pool.end();
  },
});
