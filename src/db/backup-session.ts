import pg from 'pg';

/**
 * How a session must speak so that the same row is the same text, here and on another server. Nothing may be hidden from it by a policy
 * (it fails instead), nothing may end it for taking long, and tables are read from their beginning.
 */
export const sessionSettings = [
  `SET client_encoding = 'UTF8'`,
  `SET standard_conforming_strings = on`,
  `SET datestyle = 'ISO, YMD'`,
  `SET intervalstyle = 'postgres'`,
  `SET timezone = 'UTC'`,
  `SET bytea_output = 'hex'`,
  `SET extra_float_digits = 3`,
  `SET xmloption = content`,
  `SET row_security = off`,
  `SET synchronize_seqscans = off`,
  `SET statement_timeout = 0`,
  `SET lock_timeout = 0`,
  `SET idle_in_transaction_session_timeout = 0`,
];

/** For one that restores: functions of the schema may name what comes later, and nobody needs to read what is skipped for being there. */
export const restoreSettings = ['SET check_function_bodies = off', 'SET client_min_messages = warning'];

export interface BackupSession {
  client: pg.Client;
  /** Why the connection was lost, when it was; the statement after that says only that it was. */
  lostBy(): Error | null;
  close(): Promise<void>;
}

/** A connection for backups alone: slonik cannot COPY, and the settings must not stay behind in a pool. Ends at once when it is aborted. */
export async function openBackupSession(
  url: string,
  { schema, signal }: { schema: string; signal?: AbortSignal | undefined },
): Promise<BackupSession> {
  signal?.throwIfAborted();
  const client = new pg.Client({
    connectionString: url,
    application_name: 'twolane backup',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
  });
  let loss: Error | null = null;
  client.on('error', (error) => {
    loss ??= error;
  });
  let isClosed = false;
  const close = async () => {
    signal?.removeEventListener('abort', stop);
    if (isClosed) return;
    isClosed = true;
    await client.end();
  };
  const stop = () => void close(); // with a statement under way, pg cuts the connection
  signal?.addEventListener('abort', stop);
  try {
    await client.connect();
    await client.query(sessionSettings.join('; '));
    // Names that not every version has.
    await client.query(`SELECT set_config(name, '0', false) FROM pg_settings
      WHERE name IN ('transaction_timeout', 'idle_session_timeout')`);
    await client.query(`SET search_path = ${pg.escapeIdentifier(schema)}`);
    return { client, lostBy: () => loss, close };
  } catch (error) {
    await close();
    throw signal?.aborted ? signal.reason : error;
  }
}
