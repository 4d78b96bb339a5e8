import { type Asset, readAsset } from '../storage/asset-index.ts';
import type { ObjectStore, StoredObject } from '../storage/object-store.ts';

const sentAtOnce = 8;
export const keptForEver = 'public, max-age=31536000, immutable';

export interface MediaState {
  /** What the store has in the folders of the assets, of any version. */
  stored: ReadonlyMap<string, StoredObject>;
  /** Not there yet, or not whole. */
  missing: Asset[];
}

/** Asks for the folders of the assets alone: a bucket may hold much else. */
export async function compareMedia(store: ObjectStore, assets: readonly Asset[]): Promise<MediaState> {
  const stored = new Map<string, StoredObject>();
  for (const folder of foldersOf(assets)) for await (const object of store.list(folder)) stored.set(object.key, object);
  const byKey = new Map(assets.map((asset) => [asset.versionedName, asset])); // two alike are one
  return {
    stored,
    missing: [...byKey.values()].filter((asset) => stored.get(asset.versionedName)?.bytes !== asset.bytes),
  };
}

/** The first part of each name, `products/`; all there is, once something lies beside the folders. */
function foldersOf(assets: readonly Asset[]): string[] {
  const folders = new Set(assets.map(({ versionedName }) => /^[^/]+\//.exec(versionedName)?.[0] ?? ''));
  return folders.has('') ? [''] : [...folders];
}

/**
 * Writes each under its versioned name, where it never changes: however many processes do it at once, they write the same. After
 * a failure no more is begun, and it is thrown once what was under way has ended.
 */
export async function sendAssets(
  store: ObjectStore,
  assets: readonly Asset[],
  { signal, onSent }: { signal: AbortSignal; onSent(asset: Asset): void },
): Promise<void> {
  const waiting = [...assets];
  const failures: unknown[] = [];
  const sendNext = async () => {
    for (let asset = waiting.shift(); asset && failures.length === 0; asset = waiting.shift()) {
      try {
        signal.throwIfAborted();
        const { versionedName, contentType } = asset;
        await store.put(versionedName, await readAsset(asset), { contentType, cacheControl: keptForEver, signal });
        onSent(asset);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: sentAtOnce }, sendNext));
  if (failures.length > 0) throw failures[0];
}
