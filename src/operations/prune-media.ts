import path from 'node:path';
import { type Asset, plainNameOf } from '../storage/asset-index.ts';
import { isPictureOrSound } from '../storage/asset-types.ts';
import type { ObjectStore, StoredObject } from '../storage/object-store.ts';

/** Pages, mails and caches may still name an older version. */
export const keptUnusedMs = 30 * 86_400_000;

/**
 * Versions that no asset has any more, for 30 days at least: from its own time on, and from when the version that came after it was
 * stored. Others may keep things in the same bucket: only pictures and sounds that have the form of a version, in folders where
 * assets lie.
 */
export function findUnusedMedia(
  assets: readonly Asset[],
  stored: ReadonlyMap<string, StoredObject>,
  now: Date,
): StoredObject[] {
  const used = new Set(assets.map(({ versionedName }) => versionedName));
  const folders = new Set(assets.map(({ versionedName }) => path.posix.dirname(versionedName)));
  const replacedAt = new Map(
    assets.map(({ versionedName }) => [plainNameOf(versionedName), stored.get(versionedName)?.changedAt ?? now]),
  );
  return [...stored.values()].filter(({ key, changedAt }) => {
    const plainName = plainNameOf(key);
    if (plainName === null || used.has(key)) return false;
    if (!isPictureOrSound(key) || !folders.has(path.posix.dirname(key))) return false;
    const unusedSince = Math.max(changedAt.getTime(), (replacedAt.get(plainName) ?? changedAt).getTime());
    return now.getTime() - unusedSince > keptUnusedMs;
  });
}

export async function deleteMedia(
  store: ObjectStore,
  objects: readonly StoredObject[],
  signal: AbortSignal,
): Promise<void> {
  for (const { key } of objects) {
    signal.throwIfAborted();
    await store.delete(key);
  }
}
