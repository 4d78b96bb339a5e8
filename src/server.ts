import { pathToFileURL } from 'node:url';
import closeWithGrace from 'close-with-grace';
import { openQueueStore } from '../queues/backend.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { assertSchemaCurrent } from './db/migrations.ts';
import { openDatabase } from './db/pool.ts';
import { findActorByEmail } from './db/users.ts';
import { buildApp } from './http/app.ts';
import { type Authenticate, createDevelopmentAuthenticate } from './http/authenticate.ts';
import { BoardFeed } from './http/board/board-feed.ts';
import { createLog, type Logger } from './log.ts';
import { createAnnouncer } from './operations/announcer.ts';
import { openCatalogue } from './operations/catalogue.ts';
import { HandOver } from './operations/hand-over.ts';
import { OrderIntake } from './operations/order-intake.ts';

export interface RunningWeb {
  /** Where it listens, `http://127.0.0.1:3000`. */
  url: string;
  close(): Promise<void>;
}

/** Opens everything the web process holds and listens. Throws when the schema is older than this version. */
export async function startWeb(
  config: Config,
  log: Logger,
  options: { authenticate?: Authenticate } = {},
): Promise<RunningWeb> {
  const database = await openDatabase(config.databaseUrl, log, { name: 'web' });
  try {
    await assertSchemaCurrent(database.pool);
  } catch (error) {
    await database.close();
    throw error;
  }
  const store = openQueueStore({
    databaseUrl: config.databaseUrl,
    redisUrl: config.redisUrl,
    prefix: config.queuePrefix,
    role: 'producer',
    poolSize: 4,
    onError: (error) => log.debug({ error: error.message }, 'queue store connection'),
  });
  const { announce, close: closeAnnouncer } = createAnnouncer({ db: database.pool, log });
  const catalogue = await openCatalogue({ database, log });
  const handOver = new HandOver({ database, store, log });
  const intake = new OrderIntake({
    database,
    catalogue,
    handOver,
    announce,
    log,
    maxWaiting: config.intakeMaxWaiting,
    afterCommit: config.failpoint === 'after-commit' ? () => process.kill(process.pid, 'SIGKILL') : undefined,
  });
  const board = new BoardFeed({ database, log });
  const authenticate =
    options.authenticate ??
    createDevelopmentAuthenticate((email) => findActorByEmail(database.pool, email), config.env);
  const app = await buildApp({ config, database, store, catalogue, intake, board, authenticate, announce, log });
  const url = await app.listen({ host: config.host, port: config.port });
  log.info({ url, backend: store.kind, env: config.env }, 'web listening');

  return {
    url,
    async close() {
      await board.close();
      await app.close();
      await intake.settle();
      catalogue.close();
      await closeAnnouncer();
      await store.close();
      await database.close();
    },
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    const config = readConfig(process.env);
    const log = createLog(config.logLevel, 'web');
    const web = await startWeb(config, log);
    closeWithGrace({ delay: 5_000 }, async ({ signal, err }) => {
      if (err) log.fatal({ err }, 'web crashed');
      else log.info({ signal }, 'web stopping');
      await web.close();
    });
  } catch (error) {
    process.stderr.write(
      `${error instanceof ConfigError || (error as Error).name === 'SchemaOutdatedError' ? (error as Error).message : (error as Error).stack}\n`,
    );
    process.exit(1);
  }
}
