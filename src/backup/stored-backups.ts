import type { ObjectStore } from '../storage/object-store.ts';
import { BackupDamagedError, BackupTooNewError } from './backup-errors.ts';
import { isBackupName } from './backup-name.ts';
import { type BackupManifest, type BackupVerification, backupVerification, parseManifest } from './manifest.ts';

export const manifestKey = (name: string): string => `${name}/manifest.json`;
export const verificationKey = (name: string): string => `${name}/verified.json`;

export interface StoredBackup {
  name: string;
  /** All that lies in its folder. */
  storedBytes: number;
  /** Null: it cannot be restored by this version, and `fault` says why. */
  manifest: BackupManifest | null;
  fault: string | null;
  verification: BackupVerification | null;
}

/** A run that did not end, or is under way just now: no backup. */
export interface UnfinishedBackup {
  name: string;
  storedBytes: number;
  /** Of the object that came last. */
  changedAt: Date;
}

/** The backups of a store, oldest first. */
export async function listStoredBackups(store: ObjectStore): Promise<StoredBackup[]> {
  const backups: StoredBackup[] = [];
  for (const folder of await listFolders(store, ''))
    if (folder.hasManifest) backups.push(await readStored(store, folder));
  return backups;
}

/** Null: there is none of this name. */
export async function findStoredBackup(store: ObjectStore, name: string): Promise<StoredBackup | null> {
  if (!isBackupName(name)) return null;
  const [folder] = await listFolders(store, `${name}/`);
  return folder?.hasManifest ? readStored(store, folder) : null;
}

export async function listUnfinishedBackups(store: ObjectStore): Promise<UnfinishedBackup[]> {
  const folders = await listFolders(store, '');
  return folders
    .filter(({ hasManifest }) => !hasManifest)
    .map(({ name, storedBytes, changedAt }) => ({ name, storedBytes, changedAt }));
}

/** Its manifest first: what is deleted by half is no backup. Takes unfinished ones too; what is not there is no failure. */
export async function deleteStoredBackup(store: ObjectStore, name: string): Promise<void> {
  if (!isBackupName(name)) throw new RangeError(`${name} is no name of a backup`);
  await store.delete(manifestKey(name));
  const keys: string[] = [];
  for await (const { key } of store.list(`${name}/`)) keys.push(key);
  for (const key of keys) await store.delete(key);
}

/** Throws `BackupDamagedError` when there is none. */
export async function readManifest(store: ObjectStore, name: string): Promise<BackupManifest> {
  const text = await readText(store, manifestKey(name));
  if (text === null)
    throw new BackupDamagedError(name, 'it has no manifest.json, so it was never finished or is not there');
  return parseManifest(name, text);
}

interface Folder {
  name: string;
  storedBytes: number;
  changedAt: Date;
  hasManifest: boolean;
}

async function listFolders(store: ObjectStore, prefix: string): Promise<Folder[]> {
  const folders = new Map<string, Folder>();
  for await (const { key, bytes, changedAt } of store.list(prefix)) {
    const [name = '', object] = key.split('/');
    if (!isBackupName(name) || object === undefined) continue; // somebody else's
    const folder = folders.get(name) ?? { name, storedBytes: 0, changedAt, hasManifest: false };
    folder.storedBytes += bytes;
    if (changedAt > folder.changedAt) folder.changedAt = changedAt;
    folder.hasManifest ||= key === manifestKey(name);
    folders.set(name, folder);
  }
  return [...folders.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function readStored(store: ObjectStore, { name, storedBytes }: Folder): Promise<StoredBackup> {
  try {
    const manifest = await readManifest(store, name);
    const verification = await readVerification(store, manifest);
    return { name, storedBytes, manifest, fault: null, verification };
  } catch (error) {
    if (!(error instanceof BackupDamagedError || error instanceof BackupTooNewError)) throw error;
    return { name, storedBytes, manifest: null, fault: error.message, verification: null };
  }
}

/** One that is broken, or speaks of another manifest, says nothing. */
async function readVerification(store: ObjectStore, manifest: BackupManifest): Promise<BackupVerification | null> {
  const text = await readText(store, verificationKey(manifest.name));
  if (text === null) return null;
  try {
    const verification = backupVerification.parse(JSON.parse(text));
    return verification.manifestSha256 === manifest.sha256 ? verification : null;
  } catch {
    return null;
  }
}

async function readText(store: ObjectStore, key: string): Promise<string | null> {
  if (!(await store.head(key))) return null;
  const chunks = await Array.fromAsync((await store.get(key)) as AsyncIterable<Buffer>);
  return Buffer.concat(chunks).toString();
}
