import { z } from 'zod';
import type { Lane } from '../domain/lane.ts';
import type { LanePlace } from './lane-places.ts';
import { type Db, int8, nothing, sql } from './sql.ts';

const storeRow = z.object({ marker: z.string(), runId: z.string() });
export type KnownStore = z.infer<typeof storeRow>;

export function findQueueStore(db: Db, kind: string): Promise<KnownStore | null> {
  return db.maybeOne(
    sql.type(storeRow)`SELECT marker::text AS marker, run_id AS "runId" FROM queue_stores WHERE kind = ${kind}`,
  );
}

export async function saveQueueStore(db: Db, kind: string, known: KnownStore): Promise<void> {
  await db.query(sql.type(nothing)`
    INSERT INTO queue_stores (kind, marker, run_id) VALUES (${kind}, ${known.marker}, ${known.runId})
    ON CONFLICT (kind) DO UPDATE SET marker = excluded.marker, run_id = excluded.run_id, rebuilt_at = now()
  `);
}

const dueRow = z.object({ orderNumber: int8, enqueueNo: z.number(), dueSeq: int8 });

/** A page of what a lane should hold, last place first. */
export function listDueBackwards(db: Db, lane: Lane, before: number, limit: number): Promise<readonly LanePlace[]> {
  return db.any(sql.type(dueRow)`
    SELECT number AS "orderNumber", enqueue_no AS "enqueueNo", due_seq AS "dueSeq" FROM orders
    WHERE lane = ${lane} AND status = 'pending' AND due_seq < ${before} AND (retry_at IS NULL OR retry_at <= now())
    ORDER BY due_seq DESC LIMIT ${limit}
  `);
}

/** A page of what a lane should hold for a while already, first place first: an order younger than that may still be on its way. */
export function listDueForwards(
  db: Db,
  lane: Lane,
  after: number,
  limit: number,
  settledMs: number,
): Promise<readonly LanePlace[]> {
  return db.any(sql.type(dueRow)`
    SELECT number AS "orderNumber", enqueue_no AS "enqueueNo", due_seq AS "dueSeq" FROM orders
    WHERE lane = ${lane} AND status = 'pending' AND due_seq > ${after} AND (retry_at IS NULL OR retry_at <= now())
      AND updated_at < now() - ${settledMs}::float8 * interval '1 millisecond'
    ORDER BY due_seq LIMIT ${limit}
  `);
}

/** Runs `work` while no other process does the same; waits for one that does. */
export async function withRebuildLock<T>(transaction: Db, work: () => Promise<T>): Promise<T> {
  await transaction.query(sql.type(nothing)`SELECT pg_advisory_xact_lock(7201002)`);
  return work();
}
