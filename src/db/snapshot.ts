import type pg from 'pg';
import { SchemaUnknownError } from '../backup/backup-errors.ts';
import type { BusinessSums } from '../backup/manifest.ts';
import { openBackupSession } from './backup-session.ts';
import { readBusinessSums } from './business-sums.ts';
import { type Migration, migrationLockKey, readMigrations } from './migrations.ts';
import { planRestore, type RestorePlan } from './restore-plan.ts';
import { type CatalogueSequence, ourSchema, readCatalogue } from './table-catalogue.ts';

/** The database as it was at one moment, for as long as this is open. */
export interface Snapshot {
  client: pg.Client;
  /** Whatever was committed by then is in it. */
  at: string;
  serverVersion: string;
  migrations: Migration[];
  plan: RestorePlan;
  sequences: CatalogueSequence[];
  lostBy(): Error | null;
  readSums(): Promise<BusinessSums>;
  close(): Promise<void>;
}

export async function openSnapshot(databaseUrl: string, signal: AbortSignal | undefined): Promise<Snapshot> {
  const { client, lostBy, close } = await openBackupSession(databaseUrl, { schema: ourSchema, signal });
  try {
    // A migration waits here until we are done. Waiting for a lock of a table instead, it would stop everybody behind it.
    await client.query('SELECT pg_advisory_lock_shared($1)', [migrationLockKey]);
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const { rows } = await client.query<{ at: Date; version: string }>(
      `SELECT now() AS at, current_setting('server_version') AS version`,
    );
    const migrations = await readApplied(client);
    const catalogue = await readCatalogue(client);
    return {
      client,
      at: (rows[0]?.at ?? new Date()).toISOString(),
      serverVersion: rows[0]?.version ?? '',
      migrations,
      plan: planRestore(catalogue, migrations),
      sequences: catalogue.sequences,
      lostBy,
      readSums: () => readBusinessSums(client),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** With their texts, which the database itself does not keep. */
async function readApplied(client: pg.Client): Promise<Migration[]> {
  const { rows: applied } = await client.query<{ name: string; checksum: string }>(
    'SELECT name, checksum FROM schema_migrations ORDER BY name',
  );
  const known = new Map((await readMigrations()).map((migration) => [migration.name, migration]));
  const unknown = applied.filter(({ name, checksum }) => known.get(name)?.checksum !== checksum);
  if (unknown.length > 0) throw new SchemaUnknownError(unknown.map(({ name }) => name));
  return applied.flatMap(({ name }) => known.get(name) ?? []);
}
