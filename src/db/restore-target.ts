import pg from 'pg';
import type { BackupContents } from '../backup/backup-contents.ts';
import { TargetNotEmptyError } from '../backup/backup-errors.ts';
import { openBackupSession, restoreSettings } from './backup-session.ts';
import { type CopiedTable, copyIn } from './copy-tables.ts';
import { migrationLockKey } from './migrations.ts';
import { setSequence } from './restore-plan.ts';

/** Done in the transaction of the restore, when all rows are there. */
export type BeforeCommit = (client: pg.Client, snapshotAt: string) => Promise<void>;

/** A schema that is being filled. Everybody else sees it as it was until `commit`. */
export interface RestoreTarget {
  /** The schema, without what would be in the way of loading. */
  prepare(contents: BackupContents): Promise<void>;
  /** For one that is dropped in a moment: nothing of it goes through the server's log, which everybody waits for. */
  makeUnlogged(): Promise<void>;
  load(table: CopiedTable, csv: AsyncIterable<Buffer>): Promise<number>;
  /** Sequences, indexes and foreign keys, and what the caller has to do before anybody sees it; then it is there. */
  commit(contents: BackupContents, beforeCommit?: BeforeCommit): Promise<void>;
  /** Why its connection was lost, when it was. */
  lostBy(): Error | null;
  /** What was not committed is gone. */
  close(): Promise<void>;
}

/** Throws `TargetNotEmptyError` when there is anything in that schema. */
export async function openRestoreTarget(
  url: string,
  schema: string,
  signal: AbortSignal | undefined,
): Promise<RestoreTarget> {
  const { client, lostBy, close } = await openBackupSession(url, { schema, signal });
  try {
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [migrationLockKey]); // neither with a migrator nor with another restore
    const isThere = (await client.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema])).rowCount;
    if (!isThere) await client.query(`CREATE SCHEMA ${pg.escapeIdentifier(schema)}`); // asked for, it needs a right that `public` does not
    const found = await listObjects(client, schema);
    if (found.length > 0) throw new TargetNotEmptyError(schema, found);
    await client.query(restoreSettings.join('; '));
  } catch (error) {
    await close();
    throw signal?.aborted ? signal.reason : error;
  }
  const run = async (statements: string[]) => {
    for (const statement of statements) {
      signal?.throwIfAborted();
      await client.query(statement);
    }
  };
  return {
    async prepare({ migrations, before }) {
      await run(migrations.map(({ text }) => text));
      await run(before);
    },
    async makeUnlogged() {
      const { rows } = await client.query<{ name: string }>(
        `SELECT relname AS name FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind = 'r' ORDER BY oid`,
        [pg.escapeIdentifier(schema)],
      );
      await run(rows.map(({ name }) => `ALTER TABLE ${pg.escapeIdentifier(name)} SET UNLOGGED`));
    },
    load: (table, csv) => copyIn(client, table, csv),
    async commit({ sequences, after, tables, snapshotAt }, beforeCommit) {
      await run(sequences.map(setSequence));
      await run(after);
      await run(tables.map(({ name }) => `ANALYZE ${pg.escapeIdentifier(name)}`));
      await beforeCommit?.(client, snapshotAt);
      await run(['COMMIT']);
    },
    lostBy,
    close,
  };
}

/** Tables, views, sequences, types and functions: any of them could be in the way of the schema. Those of an extension belong there. */
async function listObjects(client: pg.Client, schema: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class c WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('e', 'i', 'a'))
     UNION ALL
     SELECT proname FROM pg_proc p WHERE pronamespace = $1::regnamespace
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
     ORDER BY name`,
    [pg.escapeIdentifier(schema)],
  );
  return rows.map(({ name }) => name);
}
