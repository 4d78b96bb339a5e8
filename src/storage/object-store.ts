import type { Readable } from 'node:stream';

/**
 * Where files lie: an S3 bucket, or a folder of this machine. Keys are paths such as `receipts/2026/1001.pdf`: of letters, digits
 * and `._-`, with `/` between, no part `.` or `..`.
 *
 * - What `put` has not finished is not there: neither listed nor read, whatever happens to the process.
 * - Every failure is a `StoreError` of one of its kinds. Calls of an S3 store try again by themselves what may be tried again.
 * - What a body fails with, and the reason of a signal, come through as they are. A put always reads its body to the end or destroys it.
 * - A put that failed with `away` may have been done all the same, if it was its very last answer that was lost.
 */
export interface ObjectStore {
  readonly kind: 's3' | 'directory';
  /** For people: the bucket, or the folder. */
  readonly place: string;

  /** Writes or replaces. A stream may be of any length: no more than some parts of it are held in memory (48 MiB at most). */
  put(key: string, body: Readable | Uint8Array, options?: PutOptions): Promise<void>;
  /** Fails with `not_found`. An end that came too early fails the stream. */
  get(key: string, options?: { signal?: AbortSignal }): Promise<Readable>;
  /** Null when it is not there. */
  head(key: string): Promise<StoredObject | null>;
  /** In the order of their keys. A prefix is a text, not a folder; empty for all. */
  list(prefix: string): AsyncIterable<StoredObject>;
  /** What is not there is no failure. */
  delete(key: string): Promise<void>;
  /** An address by which anybody can read it for so long (at most 7 days), shown or saved under this name. */
  signedUrl(key: string, options: { expiresInMs: number; fileName?: string }): Promise<string>;
  /** Throws when nothing can be read or written there. Cheap enough to be asked every few seconds. */
  check(): Promise<void>;
  close(): void;
}

export interface PutOptions {
  contentType?: string;
  cacheControl?: string;
  /** What was written so far is thrown away. */
  signal?: AbortSignal;
}

export interface StoredObject {
  key: string;
  bytes: number;
  changedAt: Date;
}

/**
 * `not_found`: no such object. `refused`: wrong keys, no permission, no such bucket: somebody has to change a setting.
 * `full`: no room. `away`: not reached, or it failed: worth another try. `damaged`: what came is not what it should
 * be; a connection that broke on the way is `away`.
 */
export type StoreErrorKind = 'not_found' | 'refused' | 'full' | 'away' | 'damaged';

export class StoreError extends Error {
  readonly kind: StoreErrorKind;
  /** What the store itself called it: `NoSuchBucket`, `ENOSPC`. */
  readonly code: string;

  constructor(kind: StoreErrorKind, code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreError';
    this.kind = kind;
    this.code = code;
  }
}
