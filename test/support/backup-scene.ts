import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { generateIdentity } from 'age-encryption';
import pg from 'pg';
import type { BackupDeps } from '../../src/backup/backup-deps.ts';
import { createDirectoryObjectStore } from '../../src/storage/directory-object-store.ts';
import { cloneDatabase, databaseUrl, type TestDatabase } from './database.ts';

/** A database with orders in it, a folder for its backups, and a key. */
export interface BackupScene {
  database: TestDatabase;
  deps: BackupDeps;
  folder: string;
  key: string;
  /** The URL of an empty one. */
  makeDatabase(): Promise<string>;
  close(): Promise<void>;
}

/** Volumes are short, so that there are several of them. */
export async function openBackupScene(orders: number, volumeBytes = 48 * 1024): Promise<BackupScene> {
  const database = await cloneDatabase();
  await fillWithOrders(database, orders);
  const folder = await mkdtemp(path.join(tmpdir(), 'twolane-backups-'));
  const key = await generateIdentity();
  const made: string[] = [];
  return {
    database,
    folder,
    key,
    deps: {
      databaseUrl: database.url,
      store: createDirectoryObjectStore({ kind: 'directory', folder }, { publicUrl: '', linkSecrets: null }),
      keys: [key],
      compression: 'zstd',
      scratchUrl: null,
      volumeBytes,
    },
    async makeDatabase() {
      const name = `twolane_test_${randomBytes(6).toString('hex')}`;
      await run(process.env.TEST_DATABASE_URL ?? '', `CREATE DATABASE ${name} TEMPLATE template0`);
      made.push(name);
      return databaseUrl(name);
    },
    async close() {
      for (const name of made)
        await run(process.env.TEST_DATABASE_URL ?? '', `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function run<Row extends pg.QueryResultRow>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

/** Orders with what belongs to them, a few of them paid online, in one go. */
async function fillWithOrders({ query }: TestDatabase, count: number): Promise<void> {
  await query(`
    WITH made AS (
      INSERT INTO orders (id, user_id, lane, status, due_seq, total_minor, currency, payment_method, customer_name, note)
      SELECT gen_random_uuid(), (SELECT id FROM users ORDER BY email LIMIT 1), CASE WHEN i % 5 = 0 THEN 'vip' ELSE 'normal' END,
        'pending', nextval('order_due_seq'), 500 + i % 900, CASE WHEN i % 7 = 0 THEN 'USD' ELSE 'EUR' END,
        CASE WHEN i % 10 = 0 THEN 'stripe' ELSE 'counter' END, 'Guest ' || md5(i::text), md5('note' || i)
      FROM generate_series(1, ${count}) i RETURNING *
    ), items AS (
      INSERT INTO order_items (order_id, line, sku, name, quantity, unit_price_minor)
      SELECT id, line, 'sku-' || line, 'Item ' || line, line, 250 FROM made, generate_series(1, 2) line
    ), events AS (
      INSERT INTO order_events (order_number, lane, type, to_status, attempt, actor, detail)
      SELECT number, lane, 'placed', 'pending', 0, 'user', jsonb_build_object('number', number) FROM made
    )
    INSERT INTO payments (id, order_number, provider, status, amount_minor, currency, capture_reference, captured_minor, captured_at)
    SELECT id, number, 'stripe', 'captured', total_minor, currency, 'ch_' || number, total_minor, now()
    FROM made WHERE payment_method = 'stripe'`);
}

/** Told without our own code: what is in each table, where the sequences are, and what the schema consists of. */
export async function contentOf(url: string, schema = 'public'): Promise<Record<string, string>> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(`SET search_path = ${schema}; SET timezone = 'UTC'`);
    const { rows: tables } = await client.query<{ name: string }>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = '${schema}' ORDER BY 1`,
    );
    const { rows: sequences } = await client.query<{ name: string }>(
      `SELECT sequencename AS name FROM pg_sequences WHERE schemaname = '${schema}' ORDER BY 1`,
    );
    const { rows: parts } = await client.query<{ part: string }>(`
      SELECT replace(indexdef, '${schema}.', '') AS part FROM pg_indexes WHERE schemaname = '${schema}'
      UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = '${schema}'::regnamespace
      UNION ALL SELECT tgrelid::regclass || ' ' || tgname || ' ' || tgenabled::text FROM pg_trigger
        WHERE NOT tgisinternal AND tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = '${schema}'::regnamespace)
      ORDER BY 1`);
    const content: Record<string, string> = { schema: parts.map(({ part }) => part).join('\n') };
    for (const { name } of tables) {
      const { rows } = await client.query<{ sum: string }>(
        `SELECT count(*) || ' ' || coalesce(md5(string_agg(line, '|' ORDER BY line)), '') AS sum
         FROM (SELECT (to_jsonb(t) - 'xid')::text AS line FROM ${pg.escapeIdentifier(name)} t) lines`,
      );
      content[name] = rows[0]?.sum ?? '';
    }
    for (const { name } of sequences) {
      const { rows } = await client.query<{ at: string }>(
        `SELECT last_value || ' ' || is_called AS at FROM ${pg.escapeIdentifier(name)}`,
      );
      content[`sequence ${name}`] = rows[0]?.at ?? '';
    }
    return content;
  } finally {
    await client.end();
  }
}

export async function listTables(url: string): Promise<string[]> {
  const rows = await run<{ name: string }>(
    url,
    `SELECT schemaname || '.' || tablename AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  return rows.map(({ name }) => name);
}
