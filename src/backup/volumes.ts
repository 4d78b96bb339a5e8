import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { type ObjectStore, StoreError } from '../storage/object-store.ts';
import { BackupDamagedError } from './backup-errors.ts';
import type { BackupManifest, Compression, Volume } from './manifest.ts';

/** One object of a store may be 5 GiB at some, and an upload of a hundred parts is done again sooner than one of ten thousand. */
export const defaultVolumeBytes = 512 * 1024 * 1024;

export interface VolumesTarget {
  store: ObjectStore;
  /** The folder. */
  name: string;
  /** What its objects are called, before `.000`. */
  stem: string;
  volumeBytes: number;
  signal?: AbortSignal | undefined;
}

/** `data.tar.zst.age`: read from the right, what has to be undone to see the files. */
export const volumeStem = (compression: Compression, isEncrypted: boolean): string =>
  `data.tar.${compression === 'zstd' ? 'zst' : 'gz'}${isEncrypted ? '.age' : ''}`;

/** Stores a stream as objects of some length, one after the other: `cat` joins them again. */
export async function storeVolumes(
  source: AsyncIterable<Buffer>,
  { store, name, stem, volumeBytes, signal }: VolumesTarget,
): Promise<Volume[]> {
  const chunks = source[Symbol.asyncIterator]();
  let next: Buffer | null = null;
  const pull = async () => {
    const { done, value } = await chunks.next();
    next = done ? null : value;
  };
  const volumes: Volume[] = [];
  await pull();
  do {
    const hash = createHash('sha256');
    let bytes = 0;
    async function* volume(): AsyncGenerator<Buffer> {
      while (next && bytes < volumeBytes) {
        const fits = next.subarray(0, volumeBytes - bytes);
        const rest: Buffer = next.subarray(fits.length);
        hash.update(fits);
        bytes += fits.length;
        yield fits;
        if (rest.length > 0) next = rest;
        else await pull();
      }
    }
    const object = `${stem}.${String(volumes.length).padStart(3, '0')}`;
    const body = Readable.from(volume(), { objectMode: false });
    await store.put(`${name}/${object}`, body, { contentType: 'application/octet-stream', ...(signal && { signal }) });
    volumes.push({ object, bytes, sha256: hash.digest('hex') });
  } while (next);
  return volumes;
}

export interface VolumesSource {
  store: ObjectStore;
  manifest: BackupManifest;
  signal?: AbortSignal | undefined;
  onBytes(count: number): void;
}

/** Asked before anything is read: a volume that is missing or too short is found at once, also behind a terabyte of whole ones. */
export async function assertVolumesThere({ store, manifest }: VolumesSource): Promise<void> {
  for (const { object, bytes } of manifest.volumes) {
    const found = await store.head(`${manifest.name}/${object}`);
    if (!found) throw new BackupDamagedError(manifest.name, `its part ${object} is missing`);
    if (found.bytes !== bytes)
      throw new BackupDamagedError(manifest.name, `its part ${object} has ${found.bytes} bytes instead of ${bytes}`);
  }
}

/** All volumes as one stream. What comes was checked by the end of its volume, not before. */
export async function* readVolumes({ store, manifest, signal, onBytes }: VolumesSource): AsyncGenerator<Buffer> {
  for (const { object, bytes, sha256 } of manifest.volumes) {
    const hash = createHash('sha256');
    let received = 0;
    try {
      const body = await store.get(`${manifest.name}/${object}`, signal && { signal });
      for await (const chunk of body as AsyncIterable<Buffer>) {
        hash.update(chunk);
        received += chunk.length;
        onBytes(chunk.length);
        yield chunk;
      }
    } catch (cause) {
      if (cause instanceof StoreError && ['not_found', 'damaged'].includes(cause.kind))
        throw new BackupDamagedError(manifest.name, `its part ${object} cannot be read whole (${cause.message})`, {
          cause,
        });
      throw cause;
    }
    if (received !== bytes || hash.digest('hex') !== sha256)
      throw new BackupDamagedError(manifest.name, `its part ${object} is not what was stored (SHA-256 differs)`);
  }
}
