import type { Pool } from 'pg';
import { statusesBefore } from '../domain/order-status.ts';
import { plainArray } from './array-literal.ts';

export interface OrderStart {
  orderNumber: number;
  enqueueNo: number;
  botId: string;
  botNumber: number;
  hostId: string;
  /** How long the handler expects to need; null when it cannot say. */
  expectedMs: number | null;
}

export interface OrderCompletion {
  orderNumber: number;
  attempt: number;
}

/** The current attempt of each order that moved; an order that is missing was refused by its guard. */
export interface OrderProgress {
  started: Map<number, number>;
  completed: Map<number, number>;
}

/*
 * Starts and completions of all bots of a host in one statement: bigger groups, fewer commits (two separate committers
 * managed 27 % less at 8 bots). What was paid online is captured now: its job is written down with the completion. An order must not be in both lists: both updates would see the same snapshot.
 */
const text = `
  WITH started AS (
    UPDATE orders o SET status = 'processing', attempt = o.attempt + 1, bot_id = w.bot_id, bot_number = w.bot_number,
      host_id = w.host_id, started_at = now(), expected_at = now() + w.expected_ms * interval '1 millisecond', progress = NULL,
      retry_at = NULL, failure_reason = NULL, updated_at = now()
    FROM unnest($1::bigint[], $2::int[], $3::uuid[], $4::int[], $5::uuid[], $6::float8[]) AS w (number, enqueue_no, bot_id, bot_number, host_id, expected_ms)
    WHERE o.number = w.number AND o.enqueue_no = w.enqueue_no AND o.status = 'pending'
    RETURNING o.number, o.lane, o.attempt, o.bot_number
  ), completed AS (
    UPDATE orders o SET status = 'complete', completed_at = now(), progress = NULL, updated_at = now()
    FROM unnest($7::bigint[], $8::int[]) AS w (number, attempt)
    WHERE o.number = w.number AND o.attempt = w.attempt AND o.status = ANY ('{${statusesBefore('complete').join()}}')
    RETURNING o.number, o.lane, o.attempt, o.bot_number, o.payment_method
  ), events AS (
    INSERT INTO order_events (order_number, lane, type, from_status, to_status, attempt, bot_number, actor)
    SELECT number, lane, 'started', 'pending', 'processing', attempt, bot_number, 'bot ' || bot_number FROM started
    UNION ALL
    SELECT number, lane, 'completed', 'processing', 'complete', attempt, bot_number, 'bot ' || bot_number FROM completed
  ), owed AS (
    UPDATE payments SET sync_no = sync_no + 1, next_sync_at = now() + interval '15 seconds'
    FROM completed WHERE completed.payment_method <> 'counter' AND payments.order_number = completed.number
    RETURNING payments.id, payments.sync_no
  ), captures AS (
    INSERT INTO outbox (queue, jobs, available_at)
    SELECT 'payment-capture', jsonb_agg(jsonb_build_object('paymentId', id, 'syncNo', sync_no)), now() FROM owed HAVING count(*) > 0
  )
  SELECT true AS "isStart", number, attempt FROM started UNION ALL SELECT false, number, attempt FROM completed`;

export async function commitProgress(
  writer: Pool,
  starts: readonly OrderStart[],
  completions: readonly OrderCompletion[],
): Promise<OrderProgress> {
  const { rows } = await writer.query<{ isStart: boolean; number: string; attempt: number }>({
    name: 'commit-progress',
    text,
    values: [
      plainArray(starts.map((start) => start.orderNumber)),
      plainArray(starts.map((start) => start.enqueueNo)),
      plainArray(starts.map((start) => start.botId)),
      plainArray(starts.map((start) => start.botNumber)),
      plainArray(starts.map((start) => start.hostId)),
      plainArray(starts.map((start) => start.expectedMs ?? 'NULL')),
      plainArray(completions.map((completion) => completion.orderNumber)),
      plainArray(completions.map((completion) => completion.attempt)),
    ],
  });
  const progress: OrderProgress = { started: new Map(), completed: new Map() };
  for (const { isStart, number, attempt } of rows)
    (isStart ? progress.started : progress.completed).set(Number(number), attempt);
  return progress;
}

/** Which of these moves were made after all: asked when the connection was lost during their commit. */
export async function findProgress(
  writer: Pool,
  starts: readonly OrderStart[],
  completions: readonly OrderCompletion[],
): Promise<OrderProgress> {
  const { rows } = await writer.query<{ number: string; attempt: number; status: string; bot_id: string | null }>(
    'SELECT number, attempt, status, bot_id FROM orders WHERE number = ANY ($1::bigint[])',
    [plainArray([...starts, ...completions].map((move) => move.orderNumber))],
  );
  const orders = new Map(rows.map((row) => [Number(row.number), row]));
  const progress: OrderProgress = { started: new Map(), completed: new Map() };
  for (const { orderNumber, botId } of starts) {
    const order = orders.get(orderNumber);
    if (order?.status === 'processing' && order.bot_id === botId) progress.started.set(orderNumber, order.attempt);
  }
  for (const { orderNumber, attempt } of completions) {
    const order = orders.get(orderNumber);
    if (order?.status === 'complete' && order.attempt === attempt) progress.completed.set(orderNumber, attempt);
  }
  return progress;
}
