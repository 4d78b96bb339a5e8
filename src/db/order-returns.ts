import { z } from 'zod';
import { laneSchema } from '../domain/lane.ts';
import { orderStatusSchema } from '../domain/order-status.ts';
import { isDead, type Judgement } from './bot-hosts.ts';
import type { OrderStart } from './order-progress.ts';
import { type Db, int8, nothing, sql } from './sql.ts';

/** Why an order left its bot without being complete. */
export type ReturnReason = 'bot_removed' | 'host_stopping' | 'host_lost' | 'lease_lost';

export interface AttemptKey {
  orderNumber: number;
  attempt: number;
}

const returnedRow = z.object({
  orderNumber: int8,
  lane: laneSchema,
  enqueueNo: z.number(),
  dueSeq: int8,
  status: orderStatusSchema,
});
export type ReturnedOrder = z.infer<typeof returnedRow>;

/** Everything about a bot that a pending order no longer has. */
const withoutBot = sql.fragment`bot_id = NULL, bot_number = NULL, host_id = NULL, started_at = NULL, expected_at = NULL, progress = NULL, updated_at = now()`;

/** Gives orders back to their places, without counting it against them. Only the named attempts: a newer one is left alone. */
export function giveBackAttempts(
  db: Db,
  attempts: readonly AttemptKey[],
  reason: ReturnReason,
): Promise<readonly ReturnedOrder[]> {
  return db.any(sql.type(returnedRow)`
    WITH returned AS (
      UPDATE orders o SET status = 'pending', ${withoutBot}
      FROM ${sql.unnest(
        attempts.map((key) => [key.orderNumber, key.attempt]),
        ['int8', 'int4'],
      )} AS w (number, attempt),
           orders former
      WHERE o.number = w.number AND o.attempt = w.attempt AND o.status = 'processing' AND former.id = o.id
      RETURNING o.number, o.lane, o.enqueue_no, o.due_seq, o.status, o.attempt, former.bot_number
    ), events AS (
      INSERT INTO order_events (order_number, lane, type, from_status, to_status, attempt, bot_number, actor, detail)
      SELECT number, lane, 'given_back', 'processing', status, attempt, bot_number, 'bot ' || bot_number, jsonb_build_object('reason', ${reason}::text)
      FROM returned
    )
    SELECT number AS "orderNumber", lane, enqueue_no AS "enqueueNo", due_seq AS "dueSeq", status FROM returned
  `);
}

/** Gives back what a removed bot has in hand. Call inside the transaction that removes the bot. */
export function giveBackOfBot(transaction: Db, botId: string, actor: string): Promise<readonly ReturnedOrder[]> {
  return transaction.any(sql.type(returnedRow)`
    WITH returned AS (
      UPDATE orders o SET status = 'pending', ${withoutBot}
      FROM orders former
      WHERE o.bot_id = ${botId} AND o.status = 'processing' AND former.id = o.id
      RETURNING o.number, o.lane, o.enqueue_no, o.due_seq, o.status, o.attempt, former.bot_number
    ), events AS (
      INSERT INTO order_events (order_number, lane, type, from_status, to_status, attempt, bot_number, actor, detail)
      SELECT number, lane, 'given_back', 'processing', status, attempt, bot_number, ${actor}, '{"reason":"bot_removed"}' FROM returned
    )
    SELECT number AS "orderNumber", lane, enqueue_no AS "enqueueNo", due_seq AS "dueSeq", status FROM returned
  `);
}

/**
 * Ends the leases that ran out and gives back what their hosts had in hand, in one statement; each counts as a failure of the
 * attempt, and an order that used up its attempts fails. The jobs go to the outbox too: usually their queue still has them,
 * but a queue store that was lost in the meantime has not.
 */
export function reapDeadHosts(
  db: Db,
  maxAttempts: number,
  judgement: Judgement = { includesRobots: true, graceMs: 0 },
): Promise<readonly ReturnedOrder[]> {
  return db.any(sql.type(returnedRow)`
    WITH dead AS (
      DELETE FROM bot_hosts host WHERE ${isDead(judgement)}
    ), returned AS (
      UPDATE orders o SET
        status = CASE WHEN o.failure_count + 1 >= ${maxAttempts} THEN 'failed' ELSE 'pending' END,
        failure_reason = CASE WHEN o.failure_count + 1 >= ${maxAttempts} THEN 'attempts_exhausted' END,
        failure_count = o.failure_count + 1, ${withoutBot}
      FROM orders former
      WHERE o.status = 'processing' AND former.id = o.id AND o.host_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM bot_hosts host WHERE host.id = o.host_id AND NOT ${isDead(judgement)})
      RETURNING o.number, o.lane, o.enqueue_no, o.due_seq, o.status, o.attempt, o.failure_reason, former.bot_number
    ), events AS (
      INSERT INTO order_events (order_number, lane, type, from_status, to_status, attempt, bot_number, actor, detail)
      SELECT number, lane, CASE status WHEN 'failed' THEN 'failed' ELSE 'given_back' END, 'processing', status, attempt, bot_number, 'system',
             jsonb_build_object('reason', coalesce(failure_reason, 'host_lost'))
      FROM returned
    ), boxed AS (
      INSERT INTO outbox (queue, jobs, available_at)
      SELECT 'orders-' || lane, jsonb_agg(jsonb_build_object('orderNumber', number, 'enqueueNo', enqueue_no) ORDER BY number), now()
      FROM returned WHERE status = 'pending' GROUP BY lane
    )
    SELECT number AS "orderNumber", lane, enqueue_no AS "enqueueNo", due_seq AS "dueSeq", status FROM returned
  `);
}

const takenOverRow = z.object({ attempt: z.number(), status: orderStatusSchema });

export interface TakeOver extends OrderStart {
  maxAttempts: number;
}

/**
 * Starts an order whose job was given to us although a bot of a dead or frozen host still has it in hand. Given back and started
 * in one statement; counts as a failure, and the last one fails the order. Null when the order is no longer processing, or when
 * its host lives and only lost the job: it finishes the order, or gives it back with a new job.
 */
export function takeOverOrder(db: Db, take: TakeOver): Promise<z.infer<typeof takenOverRow> | null> {
  return db.maybeOne(sql.type(takenOverRow)`
    WITH taken AS (
      UPDATE orders o SET
        status = CASE WHEN o.failure_count + 1 >= ${take.maxAttempts} THEN 'failed' ELSE 'processing' END,
        failure_reason = CASE WHEN o.failure_count + 1 >= ${take.maxAttempts} THEN 'attempts_exhausted' END,
        attempt = o.attempt + CASE WHEN o.failure_count + 1 >= ${take.maxAttempts} THEN 0 ELSE 1 END,
        failure_count = o.failure_count + 1, bot_id = ${take.botId}, bot_number = ${take.botNumber}, host_id = ${take.hostId},
        started_at = now(), expected_at = now() + ${take.expectedMs}::float8 * interval '1 millisecond', progress = NULL, updated_at = now()
      FROM orders former
      WHERE o.number = ${take.orderNumber} AND o.enqueue_no = ${take.enqueueNo} AND o.status = 'processing' AND former.id = o.id
        AND NOT EXISTS (SELECT FROM bot_hosts host WHERE host.id = o.host_id AND host.lease_until >= now())
      RETURNING o.number, o.lane, o.status, o.attempt, former.attempt AS former_attempt, former.bot_number AS former_bot
    ), events AS (
      INSERT INTO order_events (order_number, lane, type, from_status, to_status, attempt, bot_number, actor, detail)
      SELECT number, lane, 'given_back', 'processing', 'pending', former_attempt, former_bot, 'system', '{"reason":"host_lost"}'::jsonb
      FROM taken WHERE status = 'processing'
      UNION ALL
      SELECT number, lane, 'started', 'pending', 'processing', attempt, ${take.botNumber}, 'bot ' || ${take.botNumber}::int, NULL
      FROM taken WHERE status = 'processing'
      UNION ALL
      SELECT number, lane, 'failed', 'processing', 'failed', former_attempt, former_bot, 'system', '{"reason":"attempts_exhausted"}'::jsonb
      FROM taken WHERE status = 'failed'
    )
    SELECT attempt, status FROM taken
  `);
}

export interface AttemptFailure extends AttemptKey {
  reason: string;
  isRetryable: boolean;
  maxAttempts: number;
}

const failedRow = z.object({
  lane: laneSchema,
  enqueueNo: z.number(),
  status: orderStatusSchema,
  retryAfterMs: z.number().nullable(),
});

/**
 * Records a handler's failure: another try after a backoff, or the end. The backoff is 1 s, 2 s, 4 s … up to a minute by the
 * failures so far, each with up to half of it taken off at random. Null when the attempt is no longer the current one.
 */
export function failAttempt(db: Db, failure: AttemptFailure): Promise<z.infer<typeof failedRow> | null> {
  const isFinal = sql.fragment`(NOT ${failure.isRetryable}::boolean OR o.failure_count + 1 >= ${failure.maxAttempts})`;
  return db.maybeOne(sql.type(failedRow)`
    WITH moved AS (
      UPDATE orders o SET
        status = CASE WHEN ${isFinal} THEN 'failed' ELSE 'pending' END,
        failure_reason = CASE WHEN NOT ${failure.isRetryable}::boolean THEN ${failure.reason} WHEN ${isFinal} THEN 'attempts_exhausted' END,
        enqueue_no = o.enqueue_no + CASE WHEN ${isFinal} THEN 0 ELSE 1 END,
        retry_at = CASE WHEN NOT ${isFinal} THEN now() + least(60, 2 ^ least(o.failure_count, 10)) * (1 - random() / 2) * interval '1 second' END,
        failure_count = o.failure_count + 1, ${withoutBot}
      FROM orders former
      WHERE o.number = ${failure.orderNumber} AND o.attempt = ${failure.attempt} AND o.status = 'processing' AND former.id = o.id
      RETURNING o.number, o.lane, o.status, o.attempt, o.enqueue_no, o.retry_at, former.bot_number,
        (extract(epoch FROM o.retry_at - now()) * 1000)::float8 AS retry_after_ms
    ), events AS (
      INSERT INTO order_events (order_number, lane, type, from_status, to_status, attempt, bot_number, actor, detail)
      SELECT number, lane, CASE status WHEN 'failed' THEN 'failed' ELSE 'retry_scheduled' END, 'processing', status, attempt, bot_number,
             'bot ' || bot_number, jsonb_build_object('reason', ${failure.reason}::text, 'retryAfterMs', round(retry_after_ms))
      FROM moved
    ), boxed AS (
      INSERT INTO outbox (queue, jobs, available_at)
      SELECT 'orders-' || lane, jsonb_build_array(jsonb_build_object('orderNumber', number, 'enqueueNo', enqueue_no)), retry_at
      FROM moved WHERE status = 'pending'
    )
    SELECT lane, enqueue_no AS "enqueueNo", status, retry_after_ms AS "retryAfterMs" FROM moved
  `);
}

/** The attempts that a host has in hand by the database's account. */
export function listAttemptsOfHost(db: Db, hostId: string): Promise<readonly AttemptKey[]> {
  return db.any(sql.type(z.object({ orderNumber: int8, attempt: z.number() }))`
    SELECT number AS "orderNumber", attempt FROM orders WHERE status = 'processing' AND host_id = ${hostId}
  `);
}

/** Writes down how far handlers say they are, from 0 to 1. */
export async function saveProgress(db: Db, reports: readonly (AttemptKey & { progress: number })[]): Promise<void> {
  if (reports.length === 0) return;
  await db.query(sql.type(nothing)`
    UPDATE orders o SET progress = w.progress
    FROM ${sql.unnest(
      reports.map((report) => [report.orderNumber, report.attempt, report.progress]),
      ['int8', 'int4', 'float4'],
    )} AS w (number, attempt, progress)
    WHERE o.number = w.number AND o.attempt = w.attempt AND o.status = 'processing'
  `);
}
