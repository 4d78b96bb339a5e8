import { pathToFileURL } from 'node:url';
import closeWithGrace from 'close-with-grace';
import type { FastifyInstance } from 'fastify';
import { openQueueStore } from '../queues/backend.ts';
import { createAccessTokens } from './accounts/access-tokens.ts';
import { type Config, readConfig } from './config.ts';
import type { StoresConfig } from './config-stores.ts';
import { assertSchemaCurrent } from './db/migrations.ts';
import { openDatabase } from './db/pool.ts';
import { assertReachable } from './db/reachable.ts';
import { openRedis } from './db/redis.ts';
import { describeStartFailure } from './domain/start-up-error.ts';
import { buildApp } from './http/app.ts';
import type { AppDeps } from './http/app-deps.ts';
import { BoardFeed } from './http/board/board-feed.ts';
import { createLog, type Logger } from './log.ts';
import { createAnnouncer } from './operations/announcer.ts';
import { openCatalogue } from './operations/catalogue.ts';
import { CheckoutDesk } from './operations/checkout-desk.ts';
import { HandOver } from './operations/hand-over.ts';
import { MediaKeeper } from './operations/media-keeper.ts';
import { createMediaLibrary, type MediaLibrary } from './operations/media-library.ts';
import { openPayments } from './operations/open-payments.ts';
import { OrderIntake } from './operations/order-intake.ts';
import { QueueStoreNotice } from './operations/queue-store-notice.ts';
import { RobotDesk } from './operations/robot-desk.ts';
import { assertNoSampleAccounts } from './operations/sample-accounts.ts';
import { SessionCache } from './operations/session-cache.ts';
import { WebhookInbox } from './operations/webhook-inbox.ts';
import { readAssets } from './storage/asset-index.ts';
import { openObjectStore } from './storage/open-object-store.ts';

export interface RunningWeb {
  /** Where it listens, `http://127.0.0.1:3000`. */
  url: string;
  routes: FastifyInstance['guardedRoutes'];
  close(): Promise<void>;
}

/** Opens everything the web process holds and listens. Throws when the schema is older than this version. */
export async function startWeb(
  config: Config,
  log: Logger,
  replacements: Partial<Pick<AppDeps, 'tokens' | 'sessions'>> = {},
): Promise<RunningWeb> {
  if (!config.tokens) throw new TypeError('the web process needs JWT_SECRET');
  await assertReachable(config.databaseUrl);
  const database = await openDatabase(config.databaseUrl, log, { name: 'web' });
  try {
    await assertSchemaCurrent(database.pool);
    if (config.env === 'production') await assertNoSampleAccounts(database.pool);
  } catch (error) {
    await database.close();
    throw error;
  }
  const notice = new QueueStoreNotice(config.redisUrl, log);
  const openStore = (role: 'producer' | 'worker', poolSize: number) =>
    openQueueStore({
      databaseUrl: config.databaseUrl,
      redisUrl: config.redisUrl,
      prefix: config.queuePrefix,
      role,
      poolSize,
      onError: notice.onError,
    });
  const store = openStore('producer', 4);
  notice.follow(store);
  const { announce, close: closeAnnouncer } = createAnnouncer({ db: database.pool, log });
  const relayCall = createAnnouncer({ db: database.pool, log }, 'twolane_outbox');
  const wakeRelay = relayCall.announce;
  const media = await openMedia(config.stores, log);
  const catalogue = await openCatalogue({ database, media, log });
  const payments = openPayments(config.payments, { pool: database.pool, announce, wakeRelay, log });
  const { gateways } = payments.deps;
  const checkouts = new CheckoutDesk(payments.deps);
  const webhooks = new WebhookInbox({ pool: database.pool, wakeRelay });
  const handOver = new HandOver({ database, store, log });
  const intake = new OrderIntake({
    database,
    catalogue,
    handOver,
    gateways,
    announce,
    log,
    maxWaiting: config.intakeMaxWaiting,
    afterCommit: config.failpoint === 'after-commit' ? () => process.kill(process.pid, 'SIGKILL') : undefined,
  });
  const board = new BoardFeed({ database, media, log });
  const robots = new RobotDesk({ database, openStore: () => openStore('worker', 6), announce, log });
  const redis = config.redisUrl ? openRedis(config.redisUrl, log) : null;
  const tokens = createAccessTokens(config.tokens);
  const sessions = new SessionCache({ database, redis, prefix: config.queuePrefix, log });
  const links = { publicUrl: config.payments.publicUrl, linkSecrets: config.tokens.secrets };
  const files = config.stores.files && openObjectStore(config.stores.files, links);
  const app = await buildApp({
    config,
    database,
    store,
    catalogue,
    media,
    intake,
    gateways,
    checkouts,
    webhooks,
    board,
    robots,
    tokens,
    sessions,
    files,
    redis,
    announce,
    wakeRelay,
    log,
    ...replacements,
  });
  const url = await app.listen({ host: config.host, port: config.port });
  log.info({ url, backend: store.kind, env: config.env }, 'web listening');
  const mediaStore = config.stores.media && openObjectStore(config.stores.media, { publicUrl: url, linkSecrets: null });
  const mediaKeeper = new MediaKeeper({ store: mediaStore, library: media, db: database.pool, log });

  return {
    url,
    routes: app.guardedRoutes,
    async close() {
      notice.close();
      await mediaKeeper.close();
      await board.close();
      await robots.close();
      await app.close();
      await intake.settle();
      await webhooks.settle();
      await checkouts.settle();
      payments.close();
      files?.close();
      catalogue.close();
      await closeAnnouncer();
      await relayCall.close();
      await sessions.close();
      redis?.disconnect();
      await store.close();
      await database.close();
    },
  };
}

async function openMedia({ media, mediaPublicUrl }: StoresConfig, log: Logger): Promise<MediaLibrary> {
  const assets = await readAssets();
  for (const asset of assets.unread) log.warn(asset, 'asset not read');
  return createMediaLibrary({ assets, storeUrl: media && mediaPublicUrl && `${mediaPublicUrl}/${media.prefix}` });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    const config = readConfig(process.env, ['JWT_SECRET']);
    const log = createLog(config.logLevel, 'web');
    const web = startWeb(config, log);
    // Before it has started: who reads that it listens may stop it at once.
    closeWithGrace({ delay: 5_000 }, async ({ signal, err }) => {
      if (err) log.fatal({ err }, 'web crashed');
      else log.info({ signal }, 'web stopping');
      await (await web).close();
    });
    await web;
  } catch (error) {
    process.stderr.write(`${describeStartFailure(error)}\n`);
    process.exit(1);
  }
}
