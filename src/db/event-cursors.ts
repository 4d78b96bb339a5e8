import { z } from 'zod';
import type { EventCursor } from './order-events.ts';
import { settledXid } from './settled-events.ts';
import { type Db, nothing, sql } from './sql.ts';

export type FollowedEvents = 'order_events' | 'payment_events';

const cursorRow = z.object({ xid: z.string(), id: z.string() });

/** Null: it follows nothing yet, or its place is of another cluster, whose transactions were counted further. */
export function readEventCursor(db: Db, follower: string): Promise<EventCursor | null> {
  return db.maybeOne(sql.type(cursorRow)`
    SELECT xid::text AS xid, id::text AS id FROM event_cursors
    WHERE follower = ${follower} AND xid <= pg_snapshot_xmax(pg_current_snapshot())
  `);
}

/** Before it came, nobody was told anything: a shop that upgrades tells its customers no old news. */
const firstMigration = '0004_email_files_backups.sql';

/** Begins before the first event that is no older than this. Reads all events once, where there are old ones. */
export async function beginEventCursor(
  db: Db,
  follower: string,
  { events, ageMs }: { events: FollowedEvents; ageMs: number },
): Promise<void> {
  const table = sql.identifier([events]);
  await db.query(sql.type(nothing)`
    INSERT INTO event_cursors (follower, xid, id)
    SELECT ${follower}, coalesce(first.xid, pg_snapshot_xmin(pg_current_snapshot())), coalesce(first.id - 1, 0)
    FROM (SELECT) AS one LEFT JOIN (
      SELECT e.xid, e.id FROM ${table} e WHERE e.at >= greatest(now() - ${ageMs}::float8 * interval '1 millisecond',
        (SELECT applied_at FROM schema_migrations WHERE name = ${firstMigration}))
      ORDER BY e.xid, e.id LIMIT 1
    ) AS first ON true
    ON CONFLICT (follower) DO UPDATE SET xid = excluded.xid, id = excluded.id, moved_at = now()
    WHERE event_cursors.xid > pg_snapshot_xmax(pg_current_snapshot())
  `);
}

/** Nobody else moves it until the transaction ends. Null: another process is at it. */
export function lockEventCursor(transaction: Db, follower: string): Promise<EventCursor | null> {
  return transaction.maybeOne(sql.type(cursorRow)`
    SELECT xid::text AS xid, id::text AS id FROM event_cursors WHERE follower = ${follower} FOR UPDATE SKIP LOCKED
  `);
}

export async function moveEventCursor(transaction: Db, follower: string, to: EventCursor): Promise<void> {
  await transaction.query(sql.type(nothing)`
    UPDATE event_cursors SET xid = ${to.xid}::xid8, id = ${to.id}::bigint, moved_at = now() WHERE follower = ${follower}
  `);
}

/** Where the next so many events end, up to the oldest transaction that still runs; null when there are none. */
export function findBatchEnd(
  db: Db,
  events: FollowedEvents,
  after: EventCursor,
  limit: number,
): Promise<(EventCursor & { count: number }) | null> {
  return db.maybeOne(sql.type(cursorRow.extend({ count: z.number() }))`
    WITH batch AS (
      SELECT e.xid, e.id FROM ${sql.identifier([events])} e
      WHERE (e.xid, e.id) > (${after.xid}::xid8, ${after.id}::bigint) AND e.xid < ${settledXid}
      ORDER BY e.xid, e.id LIMIT ${limit}
    )
    SELECT batch.xid::text AS xid, batch.id::text AS id, (SELECT count(*)::int FROM batch) AS count
    FROM batch ORDER BY batch.xid DESC, batch.id DESC LIMIT 1
  `);
}
