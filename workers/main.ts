import os from 'node:os';
import { pathToFileURL } from 'node:url';
import closeWithGrace from 'close-with-grace';
import { openQueueStore } from '../queues/backend.ts';
import { type Config, ConfigError, readConfig } from '../src/config.ts';
import { assertSchemaCurrent } from '../src/db/migrations.ts';
import { openDatabase } from '../src/db/pool.ts';
import { assertReachable } from '../src/db/reachable.ts';
import { describeStartFailure } from '../src/domain/start-up-error.ts';
import { createLog, type Logger } from '../src/log.ts';
import { createAnnouncer } from '../src/operations/announcer.ts';
import { QueueStoreNotice } from '../src/operations/queue-store-notice.ts';
import type { StartRole } from './roles/role.ts';

export const workerRoles = ['bots', 'payments', 'email', 'backup', 'relay'] as const;
export type WorkerRole = (typeof workerRoles)[number];

/** A process loads the libraries of its own roles: those of the payment providers alone are 50 MB. */
const starters: Record<WorkerRole, () => Promise<{ start: StartRole }>> = {
  bots: () => import('./roles/bots.ts'),
  payments: () => import('./roles/payments.ts'),
  email: () => import('./roles/email.ts'),
  backup: () => import('./roles/backup.ts'),
  relay: () => import('./roles/relay.ts'),
};

export interface RunningWorkers {
  close(): Promise<void>;
}

/** Starts the named roles in this process. Throws when the schema is older than this version. */
export async function startWorkers(config: Config, log: Logger, roles: readonly WorkerRole[]): Promise<RunningWorkers> {
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const closeOne of closers.splice(0).reverse()) await closeOne();
  };
  try {
    await assertReachable(config.databaseUrl);
    const database = await openDatabase(config.databaseUrl, log, { name: roles.join(' ') });
    closers.push(() => database.close());
    await assertSchemaCurrent(database.pool);
    const notice = new QueueStoreNotice(config.redisUrl, log);
    closers.push(async () => notice.close());
    const openStore = (role: 'producer' | 'worker', poolSize: number) => {
      const store = openQueueStore({
        databaseUrl: config.databaseUrl,
        redisUrl: config.redisUrl,
        prefix: config.queuePrefix,
        role,
        poolSize,
        onError: notice.onError,
      });
      closers.push(() => store.close());
      notice.follow(store);
      return store;
    };
    const { announce, close: closeAnnouncer } = createAnnouncer({ db: database.pool, log });
    closers.push(closeAnnouncer);
    const relayCall = createAnnouncer({ db: database.pool, log }, 'twolane_outbox');
    closers.push(relayCall.close);
    const context = { config, log, database, openStore, announce, wakeRelay: relayCall.announce };
    // The bots last, so that they end first: their orders go back while there is time.
    for (const role of workerRoles.toReversed().filter((one) => roles.includes(one))) {
      const { start } = await starters[role]();
      const started = await start(context);
      closers.push(() => started.close());
    }
  } catch (error) {
    await close();
    throw error;
  }
  log.info({ roles, backend: config.redisUrl ? 'redis' : 'postgres' }, 'workers started');
  return { close };
}

function rolesFrom(names: readonly string[]): WorkerRole[] {
  const unknown = names.filter((name) => !workerRoles.some((role) => role === name));
  if (unknown.length > 0)
    throw new ConfigError([`${unknown.join(', ')}: no such role; there are ${workerRoles.join(', ')}`]);
  return names.length === 0 ? [...workerRoles] : workerRoles.filter((role) => names.includes(role));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    const config = readConfig(process.env);
    const roles = rolesFrom(process.argv.slice(2));
    const log = createLog(config.logLevel, roles.join(' '));
    // Orders go first: what nobody waits for takes the processor that is left.
    if (roles.every((role) => role === 'backup')) os.setPriority(os.constants.priority.PRIORITY_LOW);
    const workers = startWorkers(config, log, roles);
    // A deploy gives every order back and is gone within 5 s, whatever the handlers do; also one that comes during the start.
    closeWithGrace({ delay: 4_500 }, async ({ signal, err }) => {
      if (err) log.fatal({ err }, 'workers crashed');
      else log.info({ signal }, 'workers stopping');
      await (await workers).close();
    });
    await workers;
  } catch (error) {
    process.stderr.write(`${describeStartFailure(error)}\n`);
    process.exit(1);
  }
}
