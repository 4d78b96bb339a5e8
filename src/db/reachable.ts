import pg from 'pg';
import { StartUpError } from '../domain/start-up-error.ts';

/** Said in one line to whoever starts a process: which setting is meant, and what to do; never the password. */
export class DatabaseUnreachableError extends StartUpError {
  constructor(url: string, cause: unknown) {
    const { code, reason } = faultOf(cause);
    super(
      `The database of DATABASE_URL (or DB_HOST and its companions), ${withoutSecrets(url)}, cannot be used: ${reason}. ${adviceOf[code] ?? 'Is it running, and is the address right?'}`,
      { cause },
    );
    this.name = 'DatabaseUnreachableError';
  }
}

const adviceOf: Record<string, string> = {
  '28P01': 'Correct the user or the password.',
  '28000': 'Correct the user, or what pg_hba.conf of that server lets in.',
  '3D000': 'Create this database, or name another one.',
  '57P03': 'It is not ready yet: try again in a moment.',
  '53300': 'It has no connection to spare: raise its max_connections, or stop what uses them.',
  ENOTFOUND: 'There is no host of this name.',
};

/** Opens one connection and closes it. Throws `DatabaseUnreachableError` when there is none to be had. */
export async function assertReachable(url: string): Promise<void> {
  try {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
    client.on('error', () => {}); // one that breaks after it was there is for those who use it
    await client.connect();
    await client.end();
  } catch (error) {
    throw new DatabaseUnreachableError(url, error);
  }
}

/** A name with several addresses fails as an `AggregateError` without a message of its own. */
function faultOf(error: unknown): { code: string; reason: string } {
  const { code = '', message } = error as { code?: string; message?: string };
  return { code, reason: message || code || String(error) };
}

function withoutSecrets(text: string): string {
  const { protocol, username, host, pathname } = new URL(text);
  return `${protocol}//${username === '' ? '' : `${username}@`}${host}${pathname}`;
}
