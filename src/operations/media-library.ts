import { type AssetIndex, plainNameOf } from '../storage/asset-index.ts';

/** Where pictures and sounds are found just now. Products keep the plain path, which means whatever lies there today. */
export interface MediaLibrary {
  readonly assets: AssetIndex;
  /** What browsers are given for an address that a product has: that of this very content. Others stay as they are. */
  urlOf(url: string | null): string | null;
  /** What a product keeps when it is given an address that we gave out, perhaps long ago. Others stay as they are. */
  plainUrlOf(url: string): string;
  /** Everything is in the store, or not everything any more: then this server has it. */
  setInStore(isInStore: boolean): void;
}

const here = '/media/';

/** `storeUrl`: where browsers find the store's objects, with a slash at its end; null when they find them here alone. */
export function createMediaLibrary({
  assets,
  storeUrl,
}: {
  assets: AssetIndex;
  storeUrl: string | null;
}): MediaLibrary {
  let base = here;
  return {
    assets,
    urlOf(url) {
      const name = url === null ? null : nameIn(url, here);
      const asset = name === null ? undefined : assets.find(name);
      return asset ? base + asset.versionedName : url;
    },
    plainUrlOf(url) {
      const name = nameIn(url, here) ?? (storeUrl && nameIn(url, storeUrl));
      if (!name) return url;
      const asset = assets.findVersioned(name) ?? assets.find(plainNameOf(name) ?? '');
      return asset ? here + asset.name.split('/').map(encodeURIComponent).join('/') : url;
    },
    setInStore(isInStore) {
      base = isInStore && storeUrl ? storeUrl : here;
    },
  };
}

/** A query or a fragment says that somebody has his own way with it. */
function nameIn(url: string, start: string): string | null {
  if (!url.startsWith(start) || /[?#]/.test(url)) return null;
  try {
    return decodeURIComponent(url.slice(start.length));
  } catch {
    return null; // no encoding of anything
  }
}
