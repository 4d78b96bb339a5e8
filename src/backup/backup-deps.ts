import type { ObjectStore } from '../storage/object-store.ts';
import type { Compression } from './manifest.ts';
import type { Pacer } from './pacer.ts';

export interface BackupDeps {
  databaseUrl: string;
  store: ObjectStore;
  /** age identities, `AGE-SECRET-KEY-1…`: the first encrypts, all open. None: backups are not encrypted. */
  keys: readonly string[];
  compression: Compression;
  /** A database of the server on which backups are restored to be compared; its user needs CREATEDB. Null for the engine's own. */
  scratchUrl: string | null;
  /** How long one object of the store may be, at most. */
  volumeBytes?: number;
}

/** What a run is at; in the order of a run that takes a backup and verifies it. */
export type BackupPhase = 'snapshot' | 'upload' | 'read_back' | 'restore' | 'compare';

/** `total` may grow while rows are uploaded: it is estimated. `done` never exceeds it. */
export interface BackupProgress {
  phase: BackupPhase;
  done: number;
  total: number;
  unit: 'rows' | 'bytes' | 'tables';
}

export interface BackupCall {
  name: string;
  /** Aborted, all of these stop soon with its reason, and leave nothing behind. */
  signal?: AbortSignal;
  /** Called some ten times a second at most, and at the beginning and end of a phase. */
  onProgress?: (progress: BackupProgress) => void;
  /** Without one it goes as fast as it can: somebody waits for it. */
  pacer?: Pacer;
}
