import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';
import { z } from 'zod';
import { StartUpError } from '../domain/start-up-error.ts';
import { type Db, sql } from './sql.ts';

const folder = new URL('../../migrations/', import.meta.url);
/** Any number of ours: two migrators wait for each other, and for a backup under way. */
export const migrationLockKey = 7_201_001;

export interface Migration {
  name: string;
  text: string;
  checksum: string;
}

export class SchemaOutdatedError extends StartUpError {
  constructor(missing: string[]) {
    super(`The database lacks ${missing.join(', ')}. Run \`npm run migrate\` first (the Procfile's \`release\`).`);
    this.name = 'SchemaOutdatedError';
  }
}

export async function readMigrations(): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}_.*\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(new URL(name, folder), 'utf8');
      return { name, text, checksum: createHash('sha256').update(text).digest('hex') };
    }),
  );
}

/** Applies what is missing, each file in a transaction of its own, one migrator at a time. Returns the names it applied. */
export async function migrate(databaseUrl: string): Promise<string[]> {
  const migrations = await readMigrations();
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [migrationLockKey]);
    await client.query(`CREATE TABLE IF NOT EXISTS schema_migrations (
      name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`);
    const { rows } = await client.query<{ name: string; checksum: string }>(
      'SELECT name, checksum FROM schema_migrations',
    );
    const known = new Map(rows.map((row) => [row.name, row.checksum]));
    const changed = migrations.filter(({ name, checksum }) => known.has(name) && known.get(name) !== checksum);
    if (changed.length > 0)
      throw new StartUpError(
        `${changed.map(({ name }) => name).join(', ')} changed after being applied; migrations are forward only.`,
      );
    const applied: string[] = [];
    for (const { name, text, checksum } of migrations.filter((migration) => !known.has(migration.name))) {
      await client.query('BEGIN');
      try {
        await client.query(text);
        await client.query('INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)', [name, checksum]);
        await client.query('COMMIT');
      } catch (error) {
        await client.query('ROLLBACK');
        throw new StartUpError(`Migration ${name} failed; nothing of it was kept: ${(error as Error).message}`, {
          cause: error,
        });
      }
      applied.push(name);
    }
    return applied;
  } finally {
    await client.end();
  }
}

/** The migrations of this version that the database has not had. A newer database is fine: changes are additive. */
export async function findMissingMigrations(db: Db): Promise<string[]> {
  const exists = await db.oneFirst(sql.type(z.object({ exists: z.boolean() }))`
    SELECT to_regclass('schema_migrations') IS NOT NULL AS exists
  `);
  const names = (await readMigrations()).map(({ name }) => name);
  if (!exists) return names;
  const applied = await db.anyFirst(sql.type(z.object({ name: z.string() }))`SELECT name FROM schema_migrations`);
  return names.filter((name) => !applied.includes(name));
}

/** A process refuses to run on an older schema. Throws `SchemaOutdatedError`, which says what to run. */
export async function assertSchemaCurrent(db: Db): Promise<void> {
  const missing = await findMissingMigrations(db);
  if (missing.length > 0) throw new SchemaOutdatedError(missing);
}
