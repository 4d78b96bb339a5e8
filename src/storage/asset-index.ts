import { hash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { contentTypeOf } from './asset-types.ts';
import { isStoreKey } from './store-key.ts';

/** The pictures and sounds that come with the engine. */
export const assetsFolder = fileURLToPath(new URL('../../assets/', import.meta.url));

export interface Asset {
  /** Where it lies in the folder: `products/espresso.svg`. */
  name: string;
  /** Of its content, so that it never stands for another: `products/espresso.3fa9c1d2e4b5.svg`. Also its key in the store. */
  versionedName: string;
  file: string;
  bytes: number;
  /** With the size, what tells that it is still the file that was read. */
  changedMs: number;
  contentType: string;
}

export interface AssetIndex {
  folder: string;
  all: readonly Asset[];
  /** What could not be read, and why: it does without a version. */
  unread: readonly { name: string; reason: string }[];
  find(name: string): Asset | undefined;
  findVersioned(versionedName: string): Asset | undefined;
}

/** Somebody has put another file there since this process read it. */
export class AssetChangedError extends Error {
  constructor(name: string) {
    super(`${name} is not the file that was there at the start; start anew`);
    this.name = 'AssetChangedError';
  }
}

/** Reads every file once. What begins with a dot is none of ours. */
export async function readAssets(folder = assetsFolder): Promise<AssetIndex> {
  const all: Asset[] = [];
  const unread: { name: string; reason: string }[] = [];
  for (const name of await listNames(folder)) {
    try {
      const asset = await indexAsset(folder, name);
      if (asset) all.push(asset);
    } catch (error) {
      unread.push({ name, reason: (error as Error).message });
    }
  }
  const byName = new Map(all.map((asset) => [asset.name, asset]));
  const byVersionedName = new Map(all.map((asset) => [asset.versionedName, asset]));
  return {
    folder,
    all,
    unread,
    find: (name) => byName.get(name),
    findVersioned: (versionedName) => byVersionedName.get(versionedName),
  };
}

async function listNames(folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const name of await readdir(folder, { recursive: true })) {
    const parts = name.split(path.sep);
    if (!parts.some((part) => part.startsWith('.'))) names.push(parts.join('/'));
  }
  return names.sort();
}

async function indexAsset(folder: string, name: string): Promise<Asset | null> {
  const file = path.join(folder, name);
  const found = await stat(file);
  if (!found.isFile()) return null;
  const bytes = await readFile(file);
  const versionedName = versionedNameOf(name, bytes);
  if (!isStoreKey(versionedName)) throw new Error('its name is too long for a store');
  const contentType = contentTypeOf(name);
  return { name, versionedName, file, bytes: bytes.length, changedMs: found.mtimeMs, contentType };
}

const versionLength = 12;

/** A store takes fewer characters than a folder: the others become `_`, the content still tells names apart. */
function versionedNameOf(name: string, bytes: Uint8Array): string {
  const version = hash('sha256', bytes).slice(0, versionLength);
  const { dir, name: stem, ext } = path.posix.parse(name.replaceAll(/[^\w./-]/g, '_'));
  return path.posix.join(dir, `${stem}.${version}${ext}`);
}

const versionedForm = new RegExp(`^(.+)\\.[0-9a-f]{${versionLength}}(\\.\\w+)?$`);

/** `products/espresso.svg` of any of its versions; null for what has not the form of one. */
export function plainNameOf(versionedName: string): string | null {
  const [, stem, extension = ''] = versionedForm.exec(versionedName) ?? [];
  return stem === undefined ? null : stem + extension;
}

/** Its bytes, and never those of another content than its versioned name says. */
export async function readAsset({ name, versionedName, file }: Asset): Promise<Buffer> {
  const bytes = await readFile(file);
  if (versionedNameOf(name, bytes) !== versionedName) throw new AssetChangedError(name);
  return bytes;
}

/** Whether the file is as it was when it was read, by its size and time. */
export const isUnchanged = ({ bytes, changedMs }: Asset, now: { size: number; mtimeMs: number }) =>
  now.size === bytes && now.mtimeMs === changedMs;
