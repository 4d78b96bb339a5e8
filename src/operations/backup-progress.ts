import type { BackupProgress } from '../backup/backup-deps.ts';
import { saveBackupProgress } from '../db/backups.ts';
import type { BackupRunDeps } from './backup-deps.ts';

const savedEveryMs = 1_000;
/** Far shorter than the silence after which a run counts as dead. */
const seenEveryMs = 5_000;

/** Writes down how far a backup is, and that somebody is at it; aborted when the row was ended by somebody else. */
export class BackupProgressRecord {
  readonly signal: AbortSignal;
  readonly #deps: Pick<BackupRunDeps, 'pool' | 'log'>;
  readonly #tell: ((progress: BackupProgress) => void) | undefined;
  readonly #ended = new AbortController();
  #backupId: string | null = null;
  #last: BackupProgress | null = null;
  #savedAt = 0;
  #phase: string | null = null;
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    deps: Pick<BackupRunDeps, 'pool' | 'log'>,
    signal: AbortSignal,
    tell: ((progress: BackupProgress) => void) | undefined,
  ) {
    this.#deps = deps;
    this.#tell = tell;
    this.signal = AbortSignal.any([signal, this.#ended.signal]);
  }

  follow(backupId: string): void {
    this.#backupId = backupId;
    this.#timer = setInterval(() => this.#save(), seenEveryMs);
  }

  readonly note = (progress: BackupProgress): void => {
    this.#last = progress;
    this.#tell?.(progress);
    if (progress.phase !== this.#phase || Date.now() - this.#savedAt >= savedEveryMs) this.#save();
  };

  /** So that no late word of a phase comes after the end. */
  async settle(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#backupId = null;
  }

  #save(): void {
    if (this.#writing || this.#backupId === null) return;
    this.#savedAt = Date.now();
    this.#phase = this.#last?.phase ?? null;
    this.#writing = this.#write(this.#backupId).finally(() => {
      this.#writing = undefined;
    });
  }

  async #write(backupId: string): Promise<void> {
    try {
      const isOurs = await saveBackupProgress(this.#deps.pool, backupId, this.#last);
      if (!isOurs && this.#backupId !== null) this.#ended.abort(new Error('somebody else has ended this backup'));
    } catch (error) {
      // The connection of the lock tells whether the database is gone.
      this.#deps.log.warn({ error: (error as Error).message }, 'progress of a backup not saved');
    }
  }
}
