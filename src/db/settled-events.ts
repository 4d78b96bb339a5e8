import { sql } from './sql.ts';

/**
 * What is older than every transaction that still runs in this database: no event can join it any more. The snapshot's own lower end
 * would wait for the whole cluster, such as for the restore of a backup into a database beside this one. Of a transaction that cannot
 * be found among the connections, such as a prepared one, nobody knows the database: it counts.
 */
export const settledXid = sql.fragment`(
  SELECT coalesce(min(running.xid), pg_snapshot_xmax(pg_current_snapshot()))
  FROM pg_snapshot_xip(pg_current_snapshot()) AS running (xid)
  WHERE NOT EXISTS (
    SELECT FROM pg_stat_activity elsewhere
    WHERE elsewhere.backend_xid = running.xid::xid AND elsewhere.datid <> (SELECT oid FROM pg_database WHERE datname = current_database())
  ))`;
