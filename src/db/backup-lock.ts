import pg from 'pg';

/** The right to make a backup: one at a time over all machines. */
export interface BackupLock {
  /** Aborted when the connection is lost, and the lock with it: somebody else may have begun. */
  lost: AbortSignal;
  release(): Promise<void>;
}

/** Null while somebody else has it. On a connection of its own, so that the lock lives exactly as long as whoever holds it. */
export async function takeBackupLock(databaseUrl: string): Promise<BackupLock | null> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: 'twolane backup lock',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  });
  const lost = new AbortController();
  const lose = () => lost.abort(new Error('the connection that holds the lock of backups was lost'));
  client.on('error', lose);
  client.on('end', lose);
  await client.connect();
  try {
    const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock(7201004) AS locked');
    if (rows[0]?.locked) return { lost: lost.signal, release: () => client.end() };
  } catch (error) {
    await client.end();
    throw error;
  }
  await client.end();
  return null;
}
