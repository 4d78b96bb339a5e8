import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { addAbortSignal, Readable } from 'node:stream';
import type { DirectorySettings } from '../config-stores.ts';
import { directoryError, isMissing } from './directory-errors.ts';
import {
  checkRoot,
  clearUnfinished,
  folderOf,
  listTree,
  lstatOrNull,
  makeRoot,
  removeEmptyFolders,
  syncFolder,
  unfinishedFolder,
} from './directory-tree.ts';
import { fileAddress, storeNameOf } from './file-link.ts';
import { assertLinkDuration } from './link-duration.ts';
import { type ObjectStore, StoreError } from './object-store.ts';
import { assertStoreKey } from './store-key.ts';
import { wholeStream } from './whole-stream.ts';

export interface DirectoryStoreOptions {
  publicUrl: string;
  /** The first one signs; null: addresses cannot be signed. */
  linkSecrets: readonly string[] | null;
}

/**
 * A folder of this machine, where a key is a path. An object is written aside, flushed, and moved to its place in one step: whatever
 * ends meanwhile, its name stands for the old bytes or for the new ones. Unlike in a bucket, `a` and `a/b` cannot both be there.
 */
export function createDirectoryObjectStore(
  { folder }: DirectorySettings,
  { publicUrl, linkSecrets }: DirectoryStoreOptions,
): ObjectStore {
  const root = path.resolve(folder);
  let isCleared = false;

  const fileOf = async (key: string, { make = false } = {}) => {
    assertStoreKey(key);
    return path.join(await folderOf(root, key, { make }), path.basename(key));
  };
  const told = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw directoryError(error, what);
    }
  };

  return {
    kind: 'directory',
    place: folder,

    async put(key, body, { signal } = {}) {
      const what = `${key} could not be written`;
      const source = body instanceof Readable ? body : Readable.from([body]);
      try {
        signal?.throwIfAborted();
        await told(what, async () => {
          assertStoreKey(key);
          await makeRoot(root);
          await makeRoot(path.join(root, unfinishedFolder));
          if (!isCleared) await clearUnfinished(root);
          isCleared = true;
        });
      } catch (error) {
        source.destroy();
        throw error;
      }
      const unfinished = path.join(root, unfinishedFolder, randomUUID());
      try {
        await writeAside(unfinished, source, signal, (work) => told(what, work));
        await told(what, async () => {
          signal?.throwIfAborted();
          await moveIn(unfinished, () => fileOf(key, { make: true }));
        });
      } catch (error) {
        await rm(unfinished, { force: true }).catch(() => {}); // the first error says more
        throw signal?.aborted ? signal.reason : error;
      }
    },

    get: (key, { signal } = {}) =>
      told(`${key} could not be read`, async () => {
        signal?.throwIfAborted();
        const file = await fileOf(key);
        if (!(await lstatOrNull(file))?.isFile()) throw new StoreError('not_found', 'ENOENT', `${key} is not there`);
        const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
        const { size } = await handle.stat(); // of what is open now: another put may have moved in since
        return wholeStream(handle.createReadStream(), {
          bytes: size,
          timeoutMs: null,
          signal,
          translate: (error) => directoryError(error, `${key} could not be read`),
        });
      }),

    head: (key) =>
      told(`${key} could not be looked at`, async () => {
        const found = await lstatOrNull(await fileOf(key));
        return found?.isFile() ? { key, bytes: found.size, changedAt: found.mtime } : null;
      }),

    async *list(prefix) {
      try {
        yield* listTree(root, prefix);
      } catch (error) {
        throw directoryError(error, `${folder} could not be listed`);
      }
    },

    delete: (key) =>
      told(`${key} could not be deleted`, async () => {
        try {
          const file = await fileOf(key);
          if ((await lstatOrNull(file))?.isDirectory()) return; // no object, and not empty
          await rm(file);
          await syncFolder(path.dirname(file));
          await removeEmptyFolders(root, path.dirname(file));
        } catch (error) {
          if (!isMissing(error)) throw error;
        }
      }),

    async signedUrl(key, { expiresInMs, fileName }) {
      assertStoreKey(key);
      assertLinkDuration(expiresInMs);
      const secret = linkSecrets?.[0];
      if (!secret)
        throw new StoreError('refused', 'NoSecret', 'addresses of files are signed with JWT_SECRET, which is not set');
      const link = { store: storeNameOf(root), key, fileName: fileName ?? null, endsAt: Date.now() + expiresInMs };
      return fileAddress(publicUrl, secret, link);
    },

    check: () => told(`${folder} cannot be used`, () => checkRoot(root)),
    close() {},
  };
}

/** Who deletes the last object of a folder takes the folder along, which may be the one just made: then it is made again. */
async function moveIn(unfinished: string, place: () => Promise<string>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    let file: string;
    try {
      file = await place();
      await rename(unfinished, file);
    } catch (error) {
      if (isMissing(error) && attempt < 10) continue;
      throw error;
    }
    try {
      await syncFolder(path.dirname(file));
    } catch (error) {
      if (!isMissing(error)) throw error; // deleted already, folder and all
    }
    return;
  }
}

/** A fault of the body comes through as it is: the store has no part in it. */
async function writeAside(
  file: string,
  source: Readable,
  signal: AbortSignal | undefined,
  told: <T>(work: () => Promise<T>) => Promise<T>,
): Promise<void> {
  let handle: FileHandle | null = null;
  try {
    handle = await told(() => open(file, 'wx', 0o600));
    const target = handle;
    if (signal) addAbortSignal(signal, source);
    for await (const chunk of source) await told(() => target.writeFile(chunk));
    await told(() => target.sync());
  } finally {
    source.destroy();
    await handle?.close();
  }
}
