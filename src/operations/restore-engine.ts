import { allQueues } from '../../queues/all-queues.ts';
import { migrateQueueStore, openQueueStore, type QueueStore } from '../../queues/backend.ts';
import type { BackupProgress } from '../backup/backup-deps.ts';
import type { BackupManifest } from '../backup/manifest.ts';
import { recordAudit } from '../db/audit-events.ts';
import { endRestoredBackups } from '../db/backups.ts';
import { migrate } from '../db/migrations.ts';
import { openDatabase } from '../db/pool.ts';
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
}

const queueStoreMs = 5_000;

/**
 * Makes an empty database the engine's again, as it was when the backup was made:
 * 1. the queue store is asked first: it is no use to be half-way without it;
 * 2. the rows, in one transaction: a backup that turns out to be broken leaves nothing;
 * 3. the migrations that are newer than the backup;
 * 4. what the snapshot shows as under way is ended, and the store tells which backups there are;
 * 5. the queues. What Redis still holds is of another time: an order that is due again has the id of a job that was done there.
 */
export async function restoreEngine(deps: RestoreEngineDeps, request: RestoreEngineRequest): Promise<RestoredEngine> {
  const { store, log } = deps;
  const { name, targetUrl, by, signal, onProgress } = request;
  const queues = openQueueStore({
    databaseUrl: targetUrl,
    redisUrl: deps.queues.redisUrl,
    prefix: deps.queues.prefix,
    role: 'producer',
    onError: () => {}, // said by the call that it fails
  });
  try {
    if (queues.kind === 'redis') await within(queueStoreMs, 'The queue store', queues.ping());
    const { manifest, restoreMs } = await restoreBackup(deps, {
      name,
      targetUrl,
      schema: 'public',
      ...(signal && { signal }),
      ...(onProgress && { onProgress }),
    });
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
      if (queues.kind === 'redis') await emptyQueues(queues);
      const rebuilt = await rebuildQueues({ database, store: queues, log });
      return { manifest, restoreMs, migrations, rebuilt };
    } finally {
      await database.close();
    }
  } finally {
    await queues.close();
  }
}

async function emptyQueues(queues: QueueStore): Promise<void> {
  try {
    for (const { name } of allQueues) await queues.queue(name).obliterate({ force: true });
  } catch (error) {
    throw new ServiceUnavailableError('The queue store', error);
  }
}
