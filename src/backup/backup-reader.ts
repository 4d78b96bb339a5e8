import { createHash } from 'node:crypto';
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { extract } from 'tar-stream';
import { StoreError } from '../storage/object-store.ts';
import { decryptWith } from './age-stream.ts';
import {
  type BackupContents,
  backupContents,
  contentsPath,
  piecePath,
  readmePath,
  scriptPath,
} from './backup-contents.ts';
import { BackupDamagedError } from './backup-errors.ts';
import { CsvRows } from './csv-rows.ts';
import type { BackedUpTable, BackupManifest, Compression } from './manifest.ts';
import { readVolumes, type VolumesSource } from './volumes.ts';

/** What is done with a backup while it is read. Nothing of it may be kept before `readBackup` has come to its end. */
export interface BackupVisitor {
  begin(contents: BackupContents): Promise<void>;
  /** Called in the order of the manifest; reads the CSV to its end. */
  table(table: BackedUpTable, csv: AsyncIterable<Buffer>): Promise<void>;
}

export interface ReadBackupOptions extends VolumesSource {
  /** Null for one that is not encrypted. */
  key: string | null;
}

interface TarEntry {
  path: string;
  content: AsyncIterable<Buffer>;
}

/**
 * Reads all of a backup in one go and checks each sum in it: of the volumes, of every table, and that there is nothing more and nothing less
 * than the manifest says. Throws `BackupDamagedError` at the first thing that is not as it was stored.
 */
export async function readBackup(options: ReadBackupOptions, visitor: BackupVisitor): Promise<BackupContents> {
  const { manifest } = options;
  const entries = readEntries(options);
  try {
    await expectEntry(manifest, entries, readmePath, drain);
    const contents = await expectEntry(manifest, entries, contentsPath, (content) => parseContents(manifest, content));
    await visitor.begin(contents);
    for (const table of manifest.tables) await visitor.table(table, csvOf(manifest, table, entries));
    await expectEntry(manifest, entries, scriptPath, drain);
    const { done, value } = await entries.next();
    if (!done) throw new BackupDamagedError(manifest.name, `it has a file ${value.path} that should not be there`);
    return contents;
  } finally {
    await entries.return(undefined);
  }
}

async function* readEntries(options: ReadBackupOptions): AsyncGenerator<TarEntry, undefined> {
  const { manifest, signal } = options;
  const tar = extract();
  const read = pipeline(
    readVolumes(options),
    async function* (stored: AsyncIterable<Buffer>) {
      yield* options.key === null ? stored : decryptWith(options.key, stored);
    },
    decompressor(manifest.compression),
    tar,
  );
  read.catch(() => {}); // told below
  try {
    for await (const entry of tar)
      yield { path: entry.header.name, content: translated(entry as unknown as AsyncIterable<Uint8Array>, options) };
    await read;
  } catch (error) {
    throw faultOf(error, options);
  } finally {
    tar.destroy();
    await read.catch(() => {}); // the store is let go before anybody goes on
    signal?.throwIfAborted();
  }
}

async function* translated(content: AsyncIterable<Uint8Array>, options: ReadBackupOptions): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of content as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    throw faultOf(error, options);
  }
}

/** What the store says of itself is no fault of the backup; anything else that comes out of its bytes is. */
function faultOf(error: unknown, { manifest, signal }: ReadBackupOptions): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof StoreError || error instanceof BackupDamagedError) return error;
  return new BackupDamagedError(manifest.name, `it cannot be read on (${(error as Error).message})`, { cause: error });
}

async function expectEntry<T>(
  { name }: BackupManifest,
  entries: AsyncGenerator<TarEntry, undefined>,
  path: string,
  use: (content: AsyncIterable<Buffer>) => Promise<T>,
): Promise<T> {
  const { done, value } = await entries.next();
  if (done || value.path !== path)
    throw new BackupDamagedError(name, `where ${path} should come, there is ${done ? 'nothing more' : value.path}`);
  return use(value.content);
}

async function drain(content: AsyncIterable<Buffer>): Promise<void> {
  for await (const _ of content); // read for its sums alone
}

async function parseContents(manifest: BackupManifest, content: AsyncIterable<Buffer>): Promise<BackupContents> {
  const text = Buffer.concat(await Array.fromAsync(content)).toString();
  const contents = backupContents.safeParse(jsonOrNull(text));
  if (!contents.success)
    throw new BackupDamagedError(manifest.name, 'its contents.json is not as this format has it', {
      cause: contents.error,
    });
  if (contents.data.name !== manifest.name)
    throw new BackupDamagedError(manifest.name, `its parts are those of ${contents.data.name}`);
  return contents.data;
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // which is not what is looked for
  }
}

async function* csvOf(
  manifest: BackupManifest,
  table: BackedUpTable,
  entries: AsyncGenerator<TarEntry, undefined>,
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  const scan = new CsvRows();
  let bytes = 0;
  for (let piece = 1; piece <= table.pieces; piece++) {
    const content = await expectEntry(manifest, entries, piecePath(table.name, piece), async (found) => found);
    for await (const chunk of content) {
      hash.update(chunk);
      scan.follow(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  }
  if (bytes !== table.bytes || scan.rows !== table.rows || hash.digest('hex') !== table.sha256)
    throw new BackupDamagedError(
      manifest.name,
      `table ${table.name} has ${scan.rows} rows in ${bytes} bytes, or other ones, instead of the ${table.rows} in ${table.bytes} that were stored`,
    );
}

const decompressor = (compression: Compression): Transform =>
  compression === 'zstd' ? createZstdDecompress({ chunkSize: 16_384 }) : createGunzip({ chunkSize: 131_072 });
