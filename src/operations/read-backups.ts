import type { DatabasePool } from 'slonik';
import { nextTime } from '../../queues/cron.ts';
import type { BackupConfig } from '../config-backup.ts';
import type { StoreSettings, StoresConfig } from '../config-stores.ts';
import { findLastVerified, listBackups } from '../db/backups.ts';
import type { BackupList } from '../domain/backup.ts';

/** What the settings say of backups. */
export interface BackupPlan {
  cron: string | null;
  keep: BackupList['keep'];
  store: string | null;
  isEncrypted: boolean;
}

const shownAtMost = 200;

/** Everything that is known of backups, by the database's account; a worker compares it with the store. */
export async function readBackups(
  { pool, plan }: { pool: DatabasePool; plan: BackupPlan },
  now = new Date(),
): Promise<BackupList> {
  const [backups, lastVerified] = await Promise.all([listBackups(pool, shownAtMost), findLastVerified(pool)]);
  const { cron, keep, store, isEncrypted: encrypted } = plan;
  const nextAt = cron === null || store === null ? null : nextTime(cron, now);
  return {
    backups: [...backups],
    lastVerified,
    schedule: { cron, nextAt: nextAt?.toISOString() ?? null },
    keep,
    store,
    encrypted,
  };
}

/** The settings as the environment gives them. */
export function backupPlanOf(config: { backup: BackupConfig; stores: Pick<StoresConfig, 'backups'> }): BackupPlan {
  const { cron, keep, encryptionKeys } = config.backup;
  const store = config.stores.backups;
  return { cron, keep, store: store && placeOf(store), isEncrypted: encryptionKeys.length > 0 };
}

/** For people. */
const placeOf = (store: StoreSettings): string =>
  store.kind === 'directory' ? store.folder : `${store.bucket}/${store.prefix} at ${new URL(store.endpoint).host}`;
