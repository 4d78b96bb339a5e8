import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { openQueueStore, type QueueStore } from '../../queues/backend.ts';
import { endWithUs } from '../../sandbox/end-with-us.ts';
import { startPrivatePostgres } from '../../sandbox/private-postgres.ts';
import { startPrivateRedis } from '../../sandbox/private-redis.ts';
import { type LabDatabase, openLabDatabase } from './lab-database.ts';
import { migrateTemplate } from './template.ts';
import { type CpuTimes, readCpuTimes } from './usage.ts';

/** The services of a run: a fresh Postgres and a fresh Redis, for nobody else. */
export interface Lab {
  redisUrl: string;
  /** For the files that programs of a run share. */
  folder: string;
  versions: { postgres: string; redis: string };
  /** A database with the schema, customers and products, and nothing else; or a copy of another one. */
  createDatabase(template?: string): Promise<LabDatabase>;
  openStore(database: LabDatabase | null): QueueStore;
  flushRedis(): Promise<void>;
  redisMemoryBytes(): Promise<number>;
  cpuTimes(appPid: number): CpuTimes;
  close(): Promise<void>;
}

/** Everything of a run lives under this prefix; Redis is emptied between cells. */
export const queuePrefix = '{bench}';
const templateName = 'bench_template';
/** Of Postgres, and the next one of Redis, where they are free. */
const firstPort = 41_600;

const postgresSettings = {
  shared_buffers: '512MB',
  fsync: 'on',
  synchronous_commit: 'on',
};

export async function openLab(say: (line: string) => void): Promise<Lab> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'twolane-bench-'));
  chmodSync(folder, 0o711); // Postgres may have to run as another user
  const postgres = await startPrivatePostgres({
    dataDir: folder,
    port: firstPort,
    settings: postgresSettings,
    log: say,
  });
  const callOff = endWithUs(postgres.pid, 'INT', folder);
  const redis = await startPrivateRedis({ port: firstPort + 1, log: say });
  const connection = new Redis(redis.url);
  const server = new pg.Pool({ connectionString: postgres.url, max: 1 });
  let databases = 0;

  const create = async (name: string, template: string) => {
    await server.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
    const url = new URL(postgres.url);
    url.pathname = `/${name}`;
    return openLabDatabase(name, url.href, server);
  };

  const template = await create(templateName, 'template0');
  await migrateTemplate(template);
  await template.leave();

  const [{ server_version: postgresVersion = '' } = {}] = (await server.query('SHOW server_version')).rows;
  return {
    redisUrl: redis.url,
    folder,
    versions: {
      postgres: postgresVersion.split(' ')[0],
      redis: /redis_version:(\S+)/.exec(await connection.info('server'))?.[1] ?? '',
    },
    createDatabase: (source = templateName) => create(`bench_${++databases}`, source),
    openStore: (database) =>
      openQueueStore({
        databaseUrl: database?.url ?? '',
        redisUrl: database ? null : redis.url,
        prefix: queuePrefix,
        role: 'producer',
        poolSize: 4,
        onError: (error) => say(`queue store: ${error.message}`),
      }),
    async flushRedis() {
      await connection.flushall('SYNC');
    },
    async redisMemoryBytes() {
      return Number(/used_memory:(\d+)/.exec(await connection.info('memory'))?.[1]);
    },
    cpuTimes: (appPid) => readCpuTimes(appPid, postgres.pid, redis.pid),
    async close() {
      connection.disconnect();
      await server.end();
      await redis.stop();
      callOff();
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
