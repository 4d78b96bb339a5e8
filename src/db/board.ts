import type { DatabasePool } from 'slonik';
import { z } from 'zod';
import type { Board } from '../domain/board.ts';
import { laneSchema } from '../domain/lane.ts';
import { orderStatusSchema } from '../domain/order-status.ts';
import { isoTime } from '../domain/time.ts';
import type { EventCursor } from './order-events.ts';
import { settledXid } from './settled-events.ts';
import { type Db, int8, nothing, sql, time } from './sql.ts';

const pendingShown = 200;

/** Several reads that see one and the same state. */
export function readAtSnapshot<Answer>(
  pool: DatabasePool,
  read: (transaction: Db) => Promise<Answer>,
): Promise<Answer> {
  return pool.transaction(async (transaction) => {
    await transaction.query(sql.type(nothing)`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY`);
    return read(transaction);
  });
}

/**
 * All orders by their place on the board. Partial indexes tell the pending and processing ones; the complete ones are
 * counted one by one, so this is for the start of a feed, which then counts on by the events.
 */
export function countOrders(db: Db): Promise<Board['counts']> {
  return db.one(sql.type(z.object({ pending: int8, processing: int8, complete: int8 }))`
    SELECT (SELECT count(*) FROM orders WHERE status = 'pending') AS pending,
           (SELECT count(*) FROM orders WHERE status = 'processing') AS processing,
           (SELECT count(*) FROM orders WHERE status = 'complete') AS complete
  `);
}

const moveCountRow = z.object({ from: orderStatusSchema.nullable(), to: orderStatusSchema, count: int8 });
export type MoveCount = z.infer<typeof moveCountRow>;

/** How often each move was made after the cursor, by every event that this snapshot sees. */
export function countMovesAfter(db: Db, cursor: EventCursor): Promise<readonly MoveCount[]> {
  return db.any(sql.type(moveCountRow)`
    SELECT from_status AS "from", to_status AS "to", count(*) AS count
    FROM order_events WHERE (xid, id) > (${cursor.xid}::xid8, ${cursor.id}::bigint) GROUP BY from_status, to_status
  `);
}

/**
 * The orders completed after the cursor, newest first. Backwards along the primary key of the events: of the latest events
 * about every third is a completion, while `orders` would have to be sorted as a whole.
 */
export function listCompletedAfter(db: Db, cursor: EventCursor, limit: number): Promise<readonly number[]> {
  return db.anyFirst(sql.type(z.object({ number: int8 }))`
    SELECT order_number AS number FROM order_events
    WHERE (xid, id) > (${cursor.xid}::xid8, ${cursor.id}::bigint) AND to_status = 'complete'
    ORDER BY xid DESC, id DESC LIMIT ${limit}
  `);
}

const horizonRow = z.object({
  settled: z.string(),
  next: z.string(),
  hasUntold: z.boolean(),
  heldForMs: z.number().nullable(),
});
export type EventHorizon = z.infer<typeof horizonRow>;

/**
 * The oldest transaction of this database that still runs, the next one that will begin, whether there are events after the cursor by
 * now, and how old the oldest event is that waits for that transaction.
 */
export function findEventHorizon(db: Db, cursor: EventCursor): Promise<EventHorizon> {
  return db.one(sql.type(horizonRow)`
    SELECT ${settledXid}::text AS settled, pg_snapshot_xmax(pg_current_snapshot())::text AS next,
           EXISTS (SELECT FROM order_events WHERE (xid, id) > (${cursor.xid}::xid8, ${cursor.id}::bigint)) AS "hasUntold",
           (SELECT (extract(epoch FROM clock_timestamp() - at) * 1000)::float8 FROM order_events
            WHERE xid >= ${settledXid} ORDER BY xid, id LIMIT 1) AS "heldForMs"
  `);
}

const pendingRow = z
  .object({ number: int8, lane: laneSchema, placed_at: time })
  .transform(({ placed_at, ...row }) => ({ ...row, placedAt: new Date(placed_at).toISOString() }));

/** In the order in which bots take them. One that waits out a backoff stays in its place. */
export function listPending(db: Db): Promise<Board['pending']> {
  const lane = (name: 'vip' | 'normal') => sql.fragment`
    (SELECT number, lane, placed_at, due_seq FROM orders WHERE status = 'pending' AND lane = ${name} ORDER BY due_seq LIMIT ${pendingShown})`;
  return db.any(sql.type(pendingRow)`
    SELECT number, lane, placed_at FROM (${lane('vip')} UNION ALL ${lane('normal')}) AS heads
    ORDER BY lane = 'vip' DESC, due_seq LIMIT ${pendingShown}
  `) as Promise<Board['pending']>; // slonik's arrays are read-only, the schema's are not
}

const processingRow = z
  .object({
    number: int8,
    lane: laneSchema,
    bot_number: z.number().nullable(),
    started_at: time,
    progress: z.number().nullable(),
    expected_at: time.nullable(),
  })
  .transform((row) => ({
    number: row.number,
    lane: row.lane,
    botNumber: row.bot_number,
    startedAt: new Date(row.started_at).toISOString(),
    progress: row.progress,
    expectedAt: isoTime(row.expected_at),
  }));

/** Oldest start first. */
export function listProcessing(db: Db): Promise<Board['processing']> {
  return db.any(sql.type(processingRow)`
    SELECT number, lane, bot_number, started_at, progress, expected_at FROM orders WHERE status = 'processing' ORDER BY started_at, number
  `) as Promise<Board['processing']>; // as above
}

const completeRow = z
  .object({ number: int8, lane: laneSchema, completed_at: time, soundUrl: z.string().nullable() })
  .transform(({ completed_at, ...row }) => ({ ...row, completedAt: new Date(completed_at).toISOString() }));

/** These orders, in this order, each with the sound of its first product that has one. */
export function listComplete(db: Db, orderNumbers: readonly number[]): Promise<Board['complete']> {
  return db.any(sql.type(completeRow)`
    SELECT number, lane, completed_at, (
      SELECT product.sound_url FROM order_items item
      JOIN products product ON product.sku = item.sku AND product.deleted_at IS NULL AND product.sound_url IS NOT NULL
      WHERE item.order_id = orders.id ORDER BY item.line LIMIT 1
    ) AS "soundUrl" FROM orders
    WHERE number = ANY (${sql.array([...orderNumbers], 'int8')}) AND status = 'complete'
    ORDER BY array_position(${sql.array([...orderNumbers], 'int8')}, number)
  `) as Promise<Board['complete']>; // as above
}
