import { z } from 'zod';
import type { Lane } from '../domain/lane.ts';
import { type Db, int8, sql } from './sql.ts';

const placeRow = z.object({ orderNumber: int8, enqueueNo: z.number(), dueSeq: int8 });
/** An order's job and its place in the lane. */
export type LanePlace = z.infer<typeof placeRow>;

const columns = sql.fragment`number AS "orderNumber", enqueue_no AS "enqueueNo", due_seq AS "dueSeq"`;
/** Pending and not waiting out a backoff: what a lane should hold. */
const isDue = sql.fragment`status = 'pending' AND (retry_at IS NULL OR retry_at <= now())`;

export function findPlaces(db: Db, orderNumbers: readonly number[]): Promise<readonly LanePlace[]> {
  return db.any(sql.type(placeRow)`
    SELECT ${columns} FROM orders WHERE number = ANY (${sql.array([...orderNumbers], 'int8')}) AND due_seq IS NOT NULL
  `);
}

/** The due orders of a lane before a place, nearest first. */
export function findDueBefore(db: Db, lane: Lane, dueSeq: number, limit: number): Promise<readonly LanePlace[]> {
  return db.any(sql.type(placeRow)`
    SELECT ${columns} FROM orders WHERE lane = ${lane} AND due_seq < ${dueSeq} AND ${isDue} ORDER BY due_seq DESC LIMIT ${limit}
  `);
}

/** The due orders of a lane after a place, nearest first. */
export function findDueAfter(db: Db, lane: Lane, dueSeq: number, limit: number): Promise<readonly LanePlace[]> {
  return db.any(sql.type(placeRow)`
    SELECT ${columns} FROM orders WHERE lane = ${lane} AND due_seq > ${dueSeq} AND ${isDue} ORDER BY due_seq LIMIT ${limit}
  `);
}
