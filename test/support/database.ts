import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** One per run: two runs on one server do not meet. */
export const templateName = process.env.TEST_TEMPLATE ?? `twolane_test_template_${process.pid}`;

/** The URL of a database on the test server. */
export function databaseUrl(name: string): string {
  const url = new URL(process.env.TEST_DATABASE_URL ?? '');
  url.pathname = `/${name}`;
  return url.href;
}

export interface TestDatabase {
  url: string;
  /** For looking at rows from outside the engine. */
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  drop(): Promise<void>;
}

/** A database of the caller's own, cloned from the migrated template with its sample users and catalogue. */
export async function cloneDatabase(): Promise<TestDatabase> {
  const name = `twolane_test_${randomBytes(6).toString('hex')}`;
  await onServer(`CREATE DATABASE ${name} TEMPLATE ${templateName}`);
  const url = databaseUrl(name);
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  pool.on('error', () => undefined); // tests restart Postgres under it
  return {
    url,
    async query(text, values) {
      return (await pool.query(text, values)).rows as never;
    },
    async drop() {
      await pool.end();
      await onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

async function onServer(statement: string): Promise<void> {
  const client = new pg.Client(process.env.TEST_DATABASE_URL);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
