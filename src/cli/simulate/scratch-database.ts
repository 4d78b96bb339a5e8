import { randomBytes } from 'node:crypto';
import { Client, escapeIdentifier } from 'pg';

export interface ScratchDatabase {
  url: string;
  drop(): Promise<void>;
}

/** A database of one run's own beside whatever the server holds; the user must be allowed to create one. */
export async function createScratchDatabase(serverUrl: string): Promise<ScratchDatabase> {
  const name = `twolane_simulate_${randomBytes(6).toString('hex')}`;
  await runOn(serverUrl, `CREATE DATABASE ${escapeIdentifier(name)}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () => runOn(serverUrl, `DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE)`),
  };
}

async function runOn(serverUrl: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
