import type { DatabasePool } from 'slonik';
import type { BackupDeps } from '../backup/backup-deps.ts';
import type { Pace } from '../backup/pacer.ts';
import type { Keep } from '../backup/retention.ts';
import type { BackupConfig } from '../config-backup.ts';
import type { Logger } from '../log.ts';
import type { ObjectStore } from '../storage/object-store.ts';

/** What runs of backups work with. */
export interface BackupRunDeps extends BackupDeps {
  pool: DatabasePool;
  keep: Keep;
  pace: Pace;
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

export interface BackupRunSources {
  databaseUrl: string;
  pool: DatabasePool;
  store: ObjectStore;
  settings: BackupConfig;
  log: BackupRunDeps['log'];
}

export function backupRunDepsOf({ databaseUrl, pool, store, settings, log }: BackupRunSources): BackupRunDeps {
  const { encryptionKeys: keys, compression, scratchDatabaseUrl: scratchUrl, keep, pace } = settings;
  return { databaseUrl, pool, store, keys, compression, scratchUrl, keep, pace, log };
}
