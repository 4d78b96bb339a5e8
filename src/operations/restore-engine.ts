import { allQueues } from '../../queues/all-queues.ts';
import { migrateQueueStore, openQueueStore, type QueueStore } from '../../queues/backend.ts';
import type { BackupProgress } from '../backup/backup-deps.ts';
import { EngineRunningError, RestoreUnfinishedError } from '../backup/backup-errors.ts';
import type { BackupManifest } from '../backup/manifest.ts';
import { recordAudit } from '../db/audit-events.ts';
import { endRestoredBackups } from '../db/backups.ts';
import { migrate } from '../db/migrations.ts';
import { openDatabase } from '../db/pool.ts';
import { skipOrderNumbers } from '../db/restore-order-numbers.ts';
import { clearServiceFault } from '../db/service-faults.ts';
import { ServiceUnavailableError } from '../domain/errors.ts';
import type { Logger } from '../log.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { type Rebuilt, rebuildQueues } from './rebuild-queues.ts';
import { restoreBackup } from './restore-backup.ts';
import { syncBackups } from './sync-backups.ts';
import { within } from './within.ts';

export interface RestoreEngineDeps {
  store: ObjectStore;
  keys: readonly string[];
  /** Where the queues of the restored engine live. */
  queues: { redisUrl: string | null; prefix: string };
  log: Logger;
}

export interface RestoreEngineRequest {
  name: string;
  targetUrl: string;
  /** Who does it, for the audit. */
  by: string;
  signal?: AbortSignal;
  onProgress?: (progress: BackupProgress) => void;
}

export interface RestoredEngine {
  manifest: BackupManifest;
  restoreMs: number;
  /** Newer than the backup, and run afterwards. */
  migrations: string[];
  rebuilt: Rebuilt;
  /** The first number that a new order takes; those before it may have been given out after the snapshot. */
  nextOrderNumber: number;
}

const queueStoreMs = 5_000;

/**
 * Makes an empty database the engine's again, as it was when the backup was made:
 * 1. the queue store is asked first, and whether anybody works on it: it is no use to be half-way without it;
 * 2. the rows, in one transaction: a backup that turns out to be broken leaves nothing. Numbers of orders that may have been given out
 *    after the snapshot are left out in the same one: whoever sees the rows takes none of them;
 * 3. the migrations that are newer than the backup;
 * 4. what the snapshot shows as under way is ended, and the store tells which backups there are;
 * 5. the queues. What they still hold is of another time: an order that is due again has the id of a job that was done there.
 */
export async function restoreEngine(deps: RestoreEngineDeps, request: RestoreEngineRequest): Promise<RestoredEngine> {
  const { name, targetUrl, signal, onProgress } = request;
  const queues = openQueueStore({
    databaseUrl: targetUrl,
    redisUrl: deps.queues.redisUrl,
    prefix: deps.queues.prefix,
    role: 'producer',
    onError: () => {}, // said by the call that it fails
  });
  try {
    if (queues.kind === 'redis') {
      await within(queueStoreMs, 'The queue store', queues.ping());
      await assertNobodyWorks(queues);
    }
    let nextOrderNumber = 0;
    const { manifest, restoreMs } = await restoreBackup(deps, {
      name,
      targetUrl,
      schema: 'public',
      ...(signal && { signal }),
      ...(onProgress && { onProgress }),
      beforeCommit: async (client, snapshotAt) => {
        nextOrderNumber = await skipOrderNumbers(client, snapshotAt);
      },
    });
    try {
      return { manifest, restoreMs, nextOrderNumber, ...(await putToWork(deps, request, queues, manifest)) };
    } catch (error) {
      throw new RestoreUnfinishedError(error);
    }
  } finally {
    await queues.close();
  }
}

async function putToWork(
  { store, log }: RestoreEngineDeps,
  { name, targetUrl, by }: RestoreEngineRequest,
  queues: QueueStore,
  manifest: BackupManifest,
): Promise<Pick<RestoredEngine, 'migrations' | 'rebuilt'>> {
  const migrations = await migrate(targetUrl);
  await migrateQueueStore(targetUrl);
  const database = await openDatabase(targetUrl, log, { name: 'restore', poolSize: 3 });
  try {
    const { pool } = database;
    await pool.transaction(async (transaction) => {
      await endRestoredBackups(transaction);
      for (const service of ['mail', 'media', 'files', 'backups'] as const)
        await clearServiceFault(transaction, service);
      const actor = { kind: 'system', name: by } as const;
      const detail = { snapshotAt: manifest.snapshotAt, rows: manifest.totals.rows };
      await recordAudit(transaction, { action: 'backup_restored', actor, subject: `backup ${name}`, detail });
    });
    await syncBackups({ pool, store });
    await emptyQueues(queues);
    return { migrations, rebuilt: await rebuildQueues({ database, store: queues, log }) };
  } finally {
    await database.close();
  }
}

/** Somebody may restore a copy to look at it, with the settings of the engine that takes orders just now. */
async function assertNobodyWorks(queues: QueueStore): Promise<void> {
  const working: string[] = [];
  for (const { name } of allQueues) {
    const workers = await queues.queue(name).getWorkers();
    if (workers.some((worker) => 'addr' in worker)) working.push(name);
  }
  if (working.length > 0) throw new EngineRunningError(working);
}

async function emptyQueues(queues: QueueStore): Promise<void> {
  try {
    for (const { name } of allQueues) await queues.queue(name).obliterate({ force: true });
  } catch (error) {
    throw new ServiceUnavailableError('The queue store', error);
  }
}
