import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { ScratchUnavailableError } from '../backup/backup-errors.ts';

const prefix = 'twolane_verify_';

export interface ScratchDatabase {
  url: string;
  /** Also what somebody still works on in it. */
  drop(): Promise<void>;
}

/** An empty database of its own on that server; those of runs that died are cleared away first. Throws `ScratchUnavailableError`. */
export async function openScratchDatabase(serverUrl: string): Promise<ScratchDatabase> {
  const name = `${prefix}${randomBytes(6).toString('hex')}`;
  await onServer(serverUrl, async (client) => {
    await dropStale(client);
    // Of template0: what somebody has put into template1 is not ours. Text is UTF-8 wherever it comes from.
    await client.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`);
    await client.query(
      `COMMENT ON DATABASE ${name} IS 'twolane compares a backup here; made ${new Date().toISOString()}'`,
    );
  });
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () => onServer(serverUrl, (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  };
}

/** A run under way is connected to its database from the beginning to the end; only its first moments are told by the time. */
async function dropStale(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT datname AS name FROM pg_database d
     WHERE datname ~ $1 AND pg_catalog.pg_get_userbyid(datdba) = current_user
       AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)
       AND coalesce(substring(shobj_description(d.oid, 'pg_database') from 'made (\\S+)')::timestamptz, '-infinity') < now() - interval '1 minute'`,
    [`^${prefix}[0-9a-f]{12}$`],
  );
  for (const { name } of rows) {
    try {
      await client.query(`DROP DATABASE IF EXISTS ${name}`);
    } catch (error) {
      if ((error as pg.DatabaseError).code !== '55006') throw error; // somebody is in it after all
    }
  }
}

async function onServer(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'twolane backup',
    connectionTimeoutMillis: 10_000,
  });
  client.on('error', () => {}); // told by the statement under way
  try {
    await client.connect();
    await work(client);
  } catch (error) {
    throw scratchFault(error) ?? error;
  } finally {
    await client.end();
  }
}

const advice =
  'Make room there, or name another server by BACKUP_SCRATCH_DATABASE_URL: the backup itself is as good as it was.';

/** Null: no fault of the server or of what it lets us do. */
export function scratchFault(error: unknown): ScratchUnavailableError | null {
  if (error instanceof ScratchUnavailableError) return error;
  if (!(error instanceof Error)) return null;
  const code = String((error as Partial<pg.DatabaseError>).code ?? '');
  const fault = (reason: ScratchUnavailableError['reason'], text: string) =>
    new ScratchUnavailableError(reason, `No scratch database to compare a backup in: ${text}`, { cause: error });
  if (code === '42501')
    return fault(
      'not_allowed',
      `${error.message}. Give the user the right (ALTER ROLE … CREATEDB), or name another server by BACKUP_SCRATCH_DATABASE_URL.`,
    );
  // Beside ENOSPC (53100): a quota or a limit of the file size, for which Postgres has no code of its own.
  if (
    /^53[12]00$/.test(code) ||
    (/^(XX000|58030)$/.test(code) && /could not (extend|write|create)/.test(error.message))
  )
    return fault('full', `${error.message}. ${advice}`);
  if (
    /^(28|3D|08|53|57P|58)/.test(code) ||
    /^E[A-Z]+$/.test(code) ||
    /^Connection terminated|not queryable|timeout expired/.test(error.message)
  )
    return fault('away', `${error.message || code}. Is that server running, and is the address right?`);
  return null;
}
