import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { type Config, readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { type RunningWeb, startWeb } from '../../src/server.ts';
import { type RunningWorkers, startWorkers, type WorkerRole } from '../../workers/main.ts';
import { type Api, createApi } from './api.ts';
import { cloneDatabase, type TestDatabase } from './database.ts';

export const backends = ['redis', 'postgres'] as const;
export type Backend = (typeof backends)[number];

export const adminHeader = { authorization: `Basic ${Buffer.from('admin:twolane-demo').toString('base64')}` };

/** The environment of an engine of the test's own: its database, its queue prefix, its port. */
export function testEnvironment(
  backend: Backend,
  database: string,
  more: Record<string, string> = {},
): Record<string, string> {
  return {
    ENV: 'development',
    PORT: '0',
    LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'fatal',
    DATABASE_URL: database,
    LOCAL_STORE_FOLDER: path.join(tmpdir(), `twolane-test-store-${randomBytes(6).toString('hex')}`),
    QUEUE_PREFIX: `{t${randomBytes(6).toString('hex')}}`,
    ADMIN_USERNAME: 'admin',
    ADMIN_PASSWORD: 'twolane-demo',
    JWT_SECRET: 'a secret of the tests that is long enough',
    RATE_LIMIT_PER_MINUTE: '0',
    SIGN_IN_LIMIT_PER_MINUTE: '0',
    OVERLOAD_EVENT_LOOP_DELAY: '0', // tests block the loop that they share with the engine
    BOT_PROCESSING_MS: '50',
    ...(backend === 'redis' && { REDIS_URL: process.env.TEST_REDIS_URL ?? '' }),
    ...more,
  };
}

export interface Engine {
  config: Config;
  /** To start further processes of the same engine. */
  environment: Record<string, string>;
  database: TestDatabase;
  web: RunningWeb;
  api: Api;
  /** Starts another set of worker roles in this process; closed with the engine. */
  startWorkers(roles: WorkerRole[], more?: Record<string, string>): Promise<RunningWorkers>;
  restartWeb(): Promise<void>;
  close(): Promise<void>;
}

/** The whole engine on real services: a web process and the named worker roles, all in this process. */
export async function startEngine(
  backend: Backend,
  options: { roles?: WorkerRole[]; env?: Record<string, string>; database?: TestDatabase } = {},
): Promise<Engine> {
  const database = options.database ?? (await cloneDatabase());
  const environment = testEnvironment(backend, database.url, options.env);
  const config = readConfig(environment);
  const log = createLog(config.logLevel, 'test');
  let web = await startWeb(config, log);
  const workers: RunningWorkers[] = [];
  const start = async (roles: WorkerRole[], more: Record<string, string> = {}) => {
    const started = await startWorkers(readConfig({ ...environment, ...more }), log, roles);
    workers.push(started);
    return started;
  };
  if ((options.roles ?? ['bots', 'relay']).length > 0) await start(options.roles ?? ['bots', 'relay']);
  return {
    config,
    environment,
    database,
    get web() {
      return web;
    },
    api: createApi(() => web.url),
    startWorkers: start,
    async restartWeb() {
      const { port } = new URL(web.url);
      await web.close();
      web = await startWeb({ ...config, port: Number(port) }, log);
    },
    async close() {
      await Promise.all(workers.map((one) => one.close()));
      await web.close();
      await removeQueues(config);
      await rm(environment.LOCAL_STORE_FOLDER ?? '', { recursive: true, force: true });
      if (!options.database) await database.drop();
    },
  };
}

/** Leaves the shared test Redis as it was found. */
async function removeQueues({ redisUrl, queuePrefix }: Config): Promise<void> {
  if (!redisUrl) return;
  const redis = new Redis(redisUrl);
  const keys = await redis.keys(`${queuePrefix.replaceAll(/[{}]/g, '\\$&')}*`);
  if (keys.length > 0) await redis.unlink(keys);
  redis.disconnect();
}
