import pg from 'pg';
import { createPool, type DatabasePool } from 'slonik';
import type { Logger } from '../log.ts';
import { rowCheck } from './sql.ts';

/** What a process holds of Postgres. */
export interface Database {
  url: string;
  /** Ordinary reads and writes, each row checked by its schema. */
  pool: DatabasePool;
  /**
   * One connection for the hot statements: group commits by named statements, which slonik cannot send. One and not more:
   * two flights gained nothing and cost the arrival order.
   */
  writer: pg.Pool;
  close(): Promise<void>;
}

/**
 * The batches of the writer are joined from arrays whose size the planner cannot know: it would take a hash join that reads
 * all orders as soon as the table looks small, and keep that plan while the table grows.
 */
const writerOptions =
  '-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off';

export async function openDatabase(
  url: string,
  log: Logger,
  options: { poolSize?: number; name?: string } = {},
): Promise<Database> {
  const pool = await createPool(url, {
    interceptors: [rowCheck],
    maxPoolSize: options.poolSize ?? 8,
    captureStackTrace: false,
    connectionTimeout: 5_000,
    connectionRetryLimit: 1,
    statementTimeout: 60_000,
    // No query of ours leaves state behind in its session; the default sends DISCARD ALL after each.
    resetConnection: async () => {},
  });
  const writer = new pg.Pool({
    connectionString: url,
    max: 1,
    options: writerOptions,
    application_name: `twolane ${options.name ?? 'writer'}`,
    connectionTimeoutMillis: 5_000,
    // A server that is frozen, not gone. Whether the statement was carried out is found out afterwards.
    query_timeout: 10_000,
    keepAlive: true,
  });
  writer.on('error', (error) => log.warn({ error: error.message }, 'writer connection lost'));
  return {
    url,
    pool,
    writer,
    async close() {
      await Promise.all([pool.end(), writer.end()]);
    },
  };
}
