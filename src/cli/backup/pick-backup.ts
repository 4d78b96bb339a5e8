import { isBackupName } from '../../backup/backup-name.ts';
import type { BackupManifest, BackupVerification } from '../../backup/manifest.ts';
import { findStoredBackup, listStoredBackups, type StoredBackup } from '../../backup/stored-backups.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { BadUsageError, CliError } from '../failures.ts';

export interface PickedBackup {
  name: string;
  manifest: BackupManifest;
  verification: BackupVerification | null;
}

/**
 * The backup to restore that a command line names. `latest`: the last verified one, and the last of all where none was. With keys, one
 * that is not encrypted has to be named: nobody vouches for it, and whoever can write to the store can make the latest one.
 */
export async function pickBackup(
  store: ObjectStore,
  name: string,
  { hasKeys }: { hasKeys: boolean },
): Promise<PickedBackup> {
  if (name !== 'latest') return usable(await findNamed(store, name));
  const stored = await listUsable(store);
  const trusted = hasKeys ? stored.filter(({ manifest }) => manifest?.encryption) : stored;
  if (trusted.length === 0 && stored.length > 0)
    throw new CliError(`there is no encrypted backup in ${store.place}, and BACKUP_ENCRYPTION_KEY is set`, [
      'say the name of the one that you trust: `twolane backup list` shows which there are',
    ]);
  return usable(trusted.findLast(({ verification }) => verification !== null) ?? trusted.at(-1) ?? noneIn(store));
}

/** The backup to try that a command line names. `latest`: the last, whether it was tried before or not. */
export async function pickToVerify(store: ObjectStore, name: string): Promise<PickedBackup> {
  if (name !== 'latest') return usable(await findNamed(store, name));
  return usable((await listUsable(store)).at(-1) ?? noneIn(store));
}

async function findNamed(store: ObjectStore, name: string): Promise<StoredBackup> {
  if (!isBackupName(name))
    throw new BadUsageError(`not the name of a backup: ${JSON.stringify(name)}`, [
      'names are such as 20261122T021500Z-1f3a9c, or latest',
    ]);
  return (await findStoredBackup(store, name)) ?? noneIn(store, name);
}

const listUsable = async (store: ObjectStore) =>
  (await listStoredBackups(store)).filter(({ manifest }) => manifest !== null);

function noneIn({ place }: ObjectStore, name?: string): never {
  throw new CliError(`there is no backup ${name === undefined ? '' : `${name} `}in ${place}`, [
    '`twolane backup list` shows which there are',
  ]);
}

function usable({ name, manifest, fault, verification }: StoredBackup): PickedBackup {
  if (!manifest) throw new CliError(`backup ${name} cannot be used: ${fault}`, ['take another one']);
  return { name, manifest, verification };
}
