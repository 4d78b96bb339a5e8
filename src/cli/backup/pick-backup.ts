import { isBackupName } from '../../backup/backup-name.ts';
import type { BackupManifest, BackupVerification } from '../../backup/manifest.ts';
import { findStoredBackup, listStoredBackups } from '../../backup/stored-backups.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { BadUsageError, CliError } from '../failures.ts';

export interface PickedBackup {
  name: string;
  storedBytes: number;
  manifest: BackupManifest;
  verification: BackupVerification | null;
}

/** The backup that a command line names. `latest`: the last verified one, and the last of all where none was. */
export async function pickBackup(store: ObjectStore, name: string): Promise<PickedBackup> {
  const found = name === 'latest' ? await findLatest(store) : await findNamed(store, name);
  if (!found)
    throw new CliError(
      name === 'latest' ? `there is no backup in ${store.place}` : `there is no backup ${name} in ${store.place}`,
      ['`twolane backup list` shows which there are'],
    );
  const { manifest, fault } = found;
  if (!manifest) throw new CliError(`backup ${found.name} cannot be used: ${fault}`, ['take another one']);
  return { ...found, manifest };
}

async function findNamed(store: ObjectStore, name: string) {
  if (!isBackupName(name))
    throw new BadUsageError(`not the name of a backup: ${JSON.stringify(name)}`, [
      'names are such as 20261122T021500Z-1f3a9c, or latest',
    ]);
  return findStoredBackup(store, name);
}

async function findLatest(store: ObjectStore) {
  const stored = (await listStoredBackups(store)).filter(({ manifest }) => manifest !== null);
  return stored.findLast(({ verification }) => verification !== null) ?? stored.at(-1);
}
