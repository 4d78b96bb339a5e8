import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { migrateQueueStore } from '../../queues/backend.ts';
import { type PrivatePostgres, startPrivatePostgres } from '../../sandbox/private-postgres.ts';
import { loadSamples } from '../../scripts/load-samples.ts';
import { migrate } from '../../src/db/migrations.ts';
import { openDatabase } from '../../src/db/pool.ts';
import { createLog } from '../../src/log.ts';
import type { TestDatabase } from './database.ts';

/** A Postgres that a test may stop and kill, with one migrated database of the engine. */
export interface OwnPostgres {
  database: TestDatabase;
  /** `stop`: a fast shutdown. `kill`: its main process is killed, as when a machine loses power. Then started again on the same port. */
  restart(how: 'stop' | 'kill', awayMs: number): Promise<void>;
  remove(): Promise<void>;
}

export async function startOwnPostgres(): Promise<OwnPostgres> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'twolane-own-postgres-'));
  chmodSync(folder, 0o711); // Postgres may have to run as another user
  let server: PrivatePostgres = await startPrivatePostgres({ dataDir: folder });
  const { port, url: serverUrl } = server;
  const url = serverUrl.replace(/\/postgres$/, '/twolane');
  const client = new pg.Client(serverUrl);
  await client.connect();
  await client.query('CREATE DATABASE twolane');
  await client.end();
  await migrate(url);
  await migrateQueueStore(url);
  const setup = await openDatabase(url, createLog('fatal', 'test'));
  await loadSamples(setup.pool, 0);
  await setup.close();
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  pool.on('error', () => undefined); // its server is restarted under it
  return {
    database: {
      url,
      async query(text, values) {
        return (await pool.query(text, values)).rows as never;
      },
      drop: async () => {},
    },
    async restart(how, awayMs) {
      if (how === 'kill') process.kill(server.pid, 'SIGKILL');
      else await server.stop();
      await new Promise((resolve) => setTimeout(resolve, awayMs));
      server = await startPrivatePostgres({ dataDir: folder, port });
      if (server.port !== port) throw new Error(`Postgres came back on port ${server.port} instead of ${port}`);
    },
    async remove() {
      await pool.end();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
