import { z } from 'zod';
import { type Db, int8, nothing, sql } from './sql.ts';

export interface OutboxRow {
  id: number;
  queue: string;
  jobs: unknown[];
}

const outboxRow = z.object({ id: int8, queue: z.string(), jobs: z.array(z.unknown()) });

/** Call inside the transaction that makes the jobs true: both are kept, or neither is. */
export async function addToOutbox(
  transaction: Db,
  queue: string,
  jobs: readonly unknown[],
  delayMs = 0,
): Promise<void> {
  await transaction.query(sql.type(nothing)`
    INSERT INTO outbox (queue, jobs, available_at)
    VALUES (${queue}, ${sql.jsonb(jobs as never)}, now() + ${delayMs}::float8 * interval '1 millisecond')
  `);
}

/** Locks the oldest rows that are due; other relays skip them until this transaction ends. */
export function claimOutboxRows(transaction: Db, limit: number): Promise<readonly OutboxRow[]> {
  return transaction.any(sql.type(outboxRow)`
    SELECT id, queue, jobs FROM outbox WHERE available_at <= now() ORDER BY id LIMIT ${limit} FOR UPDATE SKIP LOCKED
  `);
}

export async function deleteOutboxRows(db: Db, ids: readonly (string | number)[]): Promise<void> {
  await db.query(sql.type(nothing)`DELETE FROM outbox WHERE id = ANY (${sql.array(ids.map(Number), 'int8')})`);
}

export interface OutboxLag {
  /** Jobs that are due and not in their queue. */
  waiting: number;
  oldestSeconds: number;
}

export function getOutboxLag(db: Db): Promise<OutboxLag> {
  return db.one(sql.type(z.object({ waiting: int8, oldestSeconds: z.number() }))`
    SELECT coalesce(sum(jsonb_array_length(jobs)), 0)::int8 AS waiting,
           coalesce(extract(epoch FROM now() - min(available_at)), 0)::float8 AS "oldestSeconds"
    FROM outbox WHERE available_at <= now()
  `);
}
