import { backupRunDepsOf } from '../../src/operations/backup-deps.ts';
import { openObjectStore } from '../../src/storage/open-object-store.ts';
import { startBackupWorker } from '../backup.ts';
import { closeAll, type StartRole } from './role.ts';

export const start: StartRole = async ({ config, database, openStore, log }) => {
  const { backups } = config.stores;
  if (!backups) {
    log.warn('no store for backups is set up: none are made');
    return closeAll();
  }
  const store = openObjectStore(backups, { publicUrl: config.payments.publicUrl, linkSecrets: null });
  const sources = { databaseUrl: config.databaseUrl, pool: database.pool, store, settings: config.backup, log };
  const queues = openStore('worker', 4);
  try {
    const worker = await startBackupWorker({ ...backupRunDepsOf(sources), log, queues, cron: config.backup.cron });
    return closeAll(store, worker);
  } catch (error) {
    store.close();
    throw error;
  }
};
