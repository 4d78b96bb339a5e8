import { constants, type Dirent } from 'node:fs';
import { access, lstat, mkdir, open, readdir, realpath, rm, rmdir, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { isMissing } from './directory-errors.ts';
import { type StoredObject, StoreError } from './object-store.ts';
import { byKey, isStoreKey } from './store-key.ts';

/** No key begins like this: what is still being written is never taken for an object. */
export const unfinishedFolder = '~unfinished';
/** A file grows while it is written, so one that has not changed for a day was left behind by a process that ended. */
const staleAfterMs = 24 * 60 * 60 * 1_000;

/**
 * The folder in which the key's file lies, walked down part by part: a symbolic link on the way could lead out of the store, so it is
 * refused. The store's own folder may be one: that is a setting.
 */
export async function folderOf(root: string, key: string, { make }: { make: boolean }): Promise<string> {
  let folder = root;
  for (const name of key.split('/').slice(0, -1)) {
    const inner = path.join(folder, name);
    const found = await lstatOrNull(inner);
    if (found?.isSymbolicLink())
      throw new StoreError('refused', 'ELOOP', `${inner} is a link, which a store follows nowhere`);
    if (!found && make) await makeFolder(inner, folder);
    folder = inner;
  }
  return folder;
}

/** The store's folder, made for nobody but us. */
export async function makeRoot(root: string): Promise<void> {
  const made = await mkdir(root, { recursive: true, mode: 0o700 });
  if (made) await syncFolder(path.dirname(made));
}

async function makeFolder(folder: string, parent: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 }); // recursive: another put may have been faster
  await syncFolder(parent);
}

/** Folders that hold nothing any more: one would stand in the way of an object of its name. */
export async function removeEmptyFolders(root: string, from: string): Promise<void> {
  for (let folder = from; folder !== root; folder = path.dirname(folder)) {
    try {
      await rmdir(folder);
    } catch (error) {
      if (['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) return;
      throw error;
    }
  }
}

/** A name is on the disk once its folder is. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** In the order of keys: a folder stands where its name with a slash does. */
export async function* listTree(root: string, prefix: string, above = ''): AsyncIterable<StoredObject> {
  const entries = (await entriesOf(path.join(root, above)))
    .map((entry) => ({ entry, key: `${above}${entry.name}${entry.isDirectory() ? '/' : ''}` }))
    .filter(
      ({ entry, key }) => isStoreKey(`${above}${entry.name}`) && (key.startsWith(prefix) || prefix.startsWith(key)),
    )
    .sort((one, other) => byKey(one.key, other.key));
  for (const { entry, key } of entries) {
    if (entry.isDirectory()) yield* listTree(root, prefix, key);
    else if (entry.isFile() && key.startsWith(prefix)) {
      const found = await lstatOrNull(path.join(root, key));
      if (found) yield { key, bytes: found.size, changedAt: found.mtime }; // deleted meanwhile: not there
    }
  }
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

export async function clearUnfinished(root: string): Promise<void> {
  const folder = path.join(root, unfinishedFolder);
  for (const { name } of await entriesOf(folder)) {
    const file = path.join(folder, name);
    const found = await lstatOrNull(file);
    if (found && Date.now() - found.mtimeMs > staleAfterMs) await rm(file, { force: true });
  }
}

/** Whether it can be read and written: the folder, or before it was made, the nearest one above it. */
export async function checkRoot(root: string): Promise<void> {
  let folder = path.resolve(root);
  while (!(await lstatOrNull(folder)) && path.dirname(folder) !== folder) folder = path.dirname(folder);
  folder = await realpath(folder);
  if (!(await stat(folder)).isDirectory()) throw new StoreError('refused', 'ENOTDIR', `${folder} is not a folder`);
  await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  const { bavail, blocks } = await statfs(folder);
  if (blocks > 0 && bavail === 0) throw new StoreError('full', 'ENOSPC', `there is no room left at ${folder}`);
}

export async function lstatOrNull(file: string) {
  try {
    return await lstat(file);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
