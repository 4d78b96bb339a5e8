import { chooseDeletions } from '../backup/retention.ts';
import { deleteStoredBackup, listStoredBackups, listUnfinishedBackups } from '../backup/stored-backups.ts';
import { listFailedNames } from '../db/backups.ts';
import type { BackupRunDeps } from './backup-deps.ts';

/** So long an unfinished one that we know nothing of may be under way: another engine may share the store. */
const strangersMs = 86_400_000;

/** Takes away what the store holds too many of, but never `spared`; gives the names. Call with the lock of backups. */
export async function pruneBackups(
  { store, keep, log }: Pick<BackupRunDeps, 'store' | 'keep' | 'log'>,
  { spared, now = new Date() }: { spared: string | null; now?: Date },
): Promise<string[]> {
  const stored = (await listStoredBackups(store)).flatMap(({ name, manifest, verification }) =>
    // What its manifest cannot tell is nobody's to delete.
    manifest ? [{ name, snapshotAt: new Date(manifest.snapshotAt), isVerified: verification !== null }] : [],
  );
  const gone = chooseDeletions(stored, keep, now).filter((name) => name !== spared);
  for (const name of gone) {
    await deleteStoredBackup(store, name);
    log.info({ backup: name }, 'backup deleted');
  }
  return gone;
}

/** Takes away what runs left that did not end: volumes without a manifest. Call with the lock of backups. */
export async function clearLeftovers(
  { pool, store, log }: Pick<BackupRunDeps, 'pool' | 'store' | 'log'>,
  now = new Date(),
): Promise<void> {
  const unfinished = await listUnfinishedBackups(store);
  if (unfinished.length === 0) return;
  const failed = new Set(await listFailedNames(pool));
  for (const { name, changedAt } of unfinished) {
    if (!failed.has(name) && now.getTime() - changedAt.getTime() < strangersMs) continue;
    await deleteStoredBackup(store, name);
    log.info({ backup: name }, 'leftover of a backup cleared away');
  }
}
