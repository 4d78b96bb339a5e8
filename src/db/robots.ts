import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import type { OrderJob } from '../../queues/order-job.ts';
import { robotHostName, robotLeaseMs } from '../domain/bot.ts';
import { statusesBefore } from '../domain/order-status.ts';
import { permissions } from '../domain/permissions.ts';
import type { AttemptKey } from './order-returns.ts';
import { type Db, int8, nothing, sql } from './sql.ts';

/** The bot of an account that works as a robot of its own. Its lease is a row of `bot_hosts` under the bot's id. */
const robotRow = z.object({ id: z.uuid(), number: z.number() });
export type Robot = z.infer<typeof robotRow>;

const mayWork = sql.fragment`(account.deleted_at IS NULL AND account.role = ANY (${sql.array([...permissions['bot:work-as']], 'text')}))`;

export function findRobot(db: Db, userId: string): Promise<Robot | null> {
  return db.maybeOne(sql.type(robotRow)`SELECT id, number FROM bots WHERE user_id = ${userId} AND deleted_at IS NULL`);
}

/** Null when the account has one already. */
export function insertRobot(db: Db, userId: string): Promise<Robot | null> {
  return db.maybeOne(sql.type(robotRow)`
    INSERT INTO bots (id, user_id) VALUES (${uuidv7()}, ${userId})
    ON CONFLICT (user_id) WHERE user_id IS NOT NULL AND deleted_at IS NULL DO NOTHING
    RETURNING id, number
  `);
}

/**
 * Keeps every other process from starting an order for this robot until the transaction ends. False when its account may not
 * work as a robot any more.
 */
export async function lockRobot(transaction: Db, robotId: string): Promise<boolean> {
  const { rowCount } = await transaction.query(sql.type(nothing)`
    SELECT FROM bots bot JOIN users account ON account.id = bot.user_id
    WHERE bot.id = ${robotId} AND bot.deleted_at IS NULL AND ${mayWork} FOR UPDATE OF bot
  `);
  return rowCount === 1;
}

const robotAttemptRow = z.object({ robotId: z.uuid(), orderNumber: int8, attempt: z.number() });
/** An order in the hands of a robot. */
export type RobotAttempt = z.infer<typeof robotAttemptRow>;

/** Renews the leases of robots that gave a sign of life, also ended ones; gives the orders that they have in hand. */
export function renewRobotLeases(db: Db, robotIds: readonly string[]): Promise<readonly RobotAttempt[]> {
  const ids = sql.array([...robotIds], 'uuid');
  return db.any(sql.type(robotAttemptRow)`
    WITH renewed AS (
      INSERT INTO bot_hosts (id, name, capacity, lease_until)
      SELECT id, ${robotHostName}, 0, now() + ${robotLeaseMs}::float8 * interval '1 millisecond' FROM bots
      WHERE id = ANY (${ids}) AND deleted_at IS NULL ORDER BY id -- always in one order: two processes do not wait for each other
      ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until
    )
    SELECT bot_id AS "robotId", number AS "orderNumber", attempt FROM orders WHERE status = 'processing' AND bot_id = ANY (${ids})
  `);
}

/** Starts an order for a robot that is locked; null when it is not pending under this job. */
export function startOrderOfRobot(
  transaction: Db,
  robot: Robot,
  { orderNumber, enqueueNo }: OrderJob,
): Promise<number | null> {
  return transaction.maybeOneFirst(sql.type(z.object({ attempt: z.number() }))`
    WITH started AS (
      UPDATE orders SET status = 'processing', attempt = attempt + 1, bot_id = ${robot.id}, bot_number = ${robot.number},
        host_id = ${robot.id}, started_at = now(), expected_at = NULL, progress = NULL, retry_at = NULL, failure_reason = NULL,
        updated_at = now()
      WHERE number = ${orderNumber} AND enqueue_no = ${enqueueNo} AND status = ANY (${sql.array(statusesBefore('processing'), 'text')})
      RETURNING number, lane, attempt, bot_number
    ), events AS (
      INSERT INTO order_events (order_number, lane, type, from_status, to_status, attempt, bot_number, actor)
      SELECT number, lane, 'started', 'pending', 'processing', attempt, bot_number, 'bot ' || bot_number FROM started
    )
    SELECT attempt FROM started
  `);
}

/** Whether this robot itself ended this attempt in one of these ways. */
export function hasEndedAttempt(
  db: Db,
  robot: Robot,
  { orderNumber, attempt }: AttemptKey,
  ways: readonly ('completed' | 'retry_scheduled' | 'failed')[],
): Promise<boolean> {
  return db.oneFirst(sql.type(z.object({ hasEnded: z.boolean() }))`
    SELECT EXISTS (
      SELECT FROM order_events WHERE order_number = ${orderNumber} AND attempt = ${attempt} AND type = ANY (${sql.array([...ways], 'text')})
        AND actor = 'bot ' || ${robot.number}::int
    ) AS "hasEnded"
  `);
}

/** Takes the robots out of service whose accounts may not work as one any more, and ends their leases. */
export function retireRobotRows(transaction: Db): Promise<readonly Robot[]> {
  return transaction.any(sql.type(robotRow)`
    WITH leaving AS (
      SELECT bot.id, bot.number FROM bots bot JOIN users account ON account.id = bot.user_id
      WHERE CASE WHEN bot.deleted_at IS NULL THEN NOT ${mayWork} ELSE EXISTS (SELECT FROM bot_hosts lease WHERE lease.id = bot.id) END
      FOR UPDATE OF bot SKIP LOCKED
    ), retired AS (
      UPDATE bots SET deleted_at = coalesce(deleted_at, now()), updated_at = now() WHERE id IN (SELECT id FROM leaving)
    ), ended AS (
      DELETE FROM bot_hosts WHERE id IN (SELECT id FROM leaving)
    )
    SELECT id, number FROM leaving
  `);
}
