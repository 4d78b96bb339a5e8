import { randomUUID } from 'node:crypto';
import type { BackupProgress } from '../backup/backup-deps.ts';
import { BackupDamagedError, BackupKeyError, ScratchUnavailableError } from '../backup/backup-errors.ts';
import { makeBackupName } from '../backup/backup-name.ts';
import { createPacer } from '../backup/pacer.ts';
import { takeBackupLock } from '../db/backup-lock.ts';
import {
  beginBackup,
  endBackup,
  endDeadBackups,
  findBackup,
  insertBackup,
  noteStored,
  noteVerified,
} from '../db/backups.ts';
import { clearServiceFault, reportServiceFault } from '../db/service-faults.ts';
import type { Backup, BackupTrigger } from '../domain/backup.ts';
import { StoreError } from '../storage/object-store.ts';
import type { BackupRunDeps } from './backup-deps.ts';
import { BackupProgressRecord } from './backup-progress.ts';
import { clearLeftovers, pruneBackups } from './prune-backups.ts';
import { syncBackups } from './sync-backups.ts';
import { takeBackup } from './take-backup.ts';
import { verifyBackup } from './verify-backup.ts';

export interface BackupRequest {
  /** The row that asked for it; null for one that gets its row now. */
  backupId: string | null;
  trigger: BackupTrigger;
  requestedBy: string;
  signal: AbortSignal;
  onProgress?: (progress: BackupProgress) => void;
  onBegin?: (backup: Backup) => void;
}

/** Why a run ended that nobody has anything to mend for: a deploy, or Ctrl-C. */
export class BackupInterruptedError extends Error {
  constructor() {
    super('interrupted');
    this.name = 'BackupInterruptedError';
  }
}

/** Who asked for an end gets one, whatever the work does. */
const patienceMs = 2_500;

/**
 * The life of a backup:
 * 1. One at a time over all machines: the lock is a connection's, so it ends with whoever has it. Null while another has it.
 * 2. What died is ended and cleared away: its row says so, and volumes without a manifest go.
 * 3. `running`: the snapshot goes to the store, the manifest last. Until then there is nothing that looks like a backup.
 * 4. `stored`: it is read back, restored into a scratch database and compared.
 * 5. `verified`: what is too many goes, and `/readyz` has nothing more to say of backups.
 *
 * A run that was asked for and died is not gone on with: its job makes a new one, of a new name. Throws what the run failed with, after
 * its row says so.
 */
export async function runBackup(deps: BackupRunDeps, request: BackupRequest): Promise<Backup | null> {
  const lock = await takeBackupLock(deps.databaseUrl);
  if (!lock) return null;
  const record = new BackupProgressRecord(deps, AbortSignal.any([request.signal, lock.lost]), request.onProgress);
  try {
    await endDeadBackups(deps.pool, 0);
    const backup = await openRun(deps, request);
    if (backup.state === 'verified') return backup;
    request.onBegin?.(backup);
    record.follow(backup.id);
    try {
      await within(record.signal, makeAndTry(deps, backup, record));
    } catch (error) {
      // Aborted, the work fails with whatever was in its hands; the reason is why.
      const reason = request.signal.aborted
        ? new BackupInterruptedError()
        : record.signal.aborted
          ? record.signal.reason
          : error;
      await recordFailure(deps, backup, reason);
      throw reason;
    }
    await tidyUp(deps, backup.name, record);
    return await findBackup(deps.pool, backup.id);
  } finally {
    record.close();
    await lock.release();
  }
}

async function openRun({ pool }: BackupRunDeps, { backupId, trigger, requestedBy }: BackupRequest): Promise<Backup> {
  const asked = backupId === null ? null : await findBackup(pool, backupId);
  if (asked?.state === 'verified' || (asked && (await beginBackup(pool, asked.id)))) return asked;
  const { id } = await insertBackup(pool, {
    id: randomUUID(),
    name: makeBackupName(),
    trigger: asked?.trigger ?? trigger,
    requestedBy: asked?.requestedBy ?? requestedBy,
  });
  await beginBackup(pool, id);
  const begun = await findBackup(pool, id);
  if (!begun) throw new Error('the row of this backup is gone');
  return begun;
}

async function makeAndTry(deps: BackupRunDeps, { id, name }: Backup, record: BackupProgressRecord): Promise<void> {
  const { pool, log } = deps;
  const pacer = createPacer(deps.pace, record.signal);
  const call = { name, signal: record.signal, onProgress: record.note, pacer };
  await clearLeftovers(deps);
  const startedAt = performance.now();
  const manifest = await takeBackup(deps, call);
  const backupMs = Math.round(performance.now() - startedAt);
  const { totals } = manifest;
  await noteStored(pool, id, {
    snapshotAt: new Date(manifest.snapshotAt),
    storedBytes: totals.storedBytes,
    rows: totals.rows,
    tables: totals.tables,
    isEncrypted: manifest.encryption !== null,
    backupMs,
  });
  log.info({ backup: name, ...totals, backupMs }, 'backup stored');
  const { restoreMs } = await verifyBackup(deps, call);
  await record.settle();
  await noteVerified(pool, id, restoreMs);
  log.info({ backup: name, restoreMs }, 'backup verified');
}

/** The backup is there and was tried: what fails from here on is said, and takes nothing away from it. */
async function tidyUp(deps: BackupRunDeps, name: string, record: BackupProgressRecord): Promise<void> {
  const { pool, log } = deps;
  try {
    await clearServiceFault(pool, 'backups');
    if (record.signal.aborted) return;
    await pruneBackups(deps, { spared: name });
    await syncBackups(deps);
  } catch (error) {
    log.warn({ backup: name, error: (error as Error).message }, 'old backups not deleted');
  }
}

async function recordFailure({ pool, log }: BackupRunDeps, { id, name }: Backup, error: unknown): Promise<void> {
  const failure = (error as Error).message;
  const isInterrupted = error instanceof BackupInterruptedError;
  if (isInterrupted) log.info({ backup: name }, 'backup interrupted');
  else log.error({ backup: name, error: failure }, 'backup failed');
  try {
    // One that was found broken is no backup; one that could not be tried may well be.
    await endBackup(pool, id, { failure, isWhole: !(error instanceof BackupDamagedError) });
    if (isInterrupted) return;
    const message = `The last backup failed: ${failure}`;
    await reportServiceFault(pool, { service: 'backups', code: codeOf(error), message });
  } catch (unsaid) {
    log.warn({ backup: name, error: (unsaid as Error).message }, 'failure of a backup not saved'); // the next run ends its row
  }
}

function codeOf(error: unknown): string {
  if (error instanceof StoreError) return `store_${error.kind}`;
  if (error instanceof BackupDamagedError) return 'backup_damaged';
  if (error instanceof BackupKeyError) return 'backup_key';
  if (error instanceof ScratchUnavailableError) return `scratch_${error.reason}`;
  return 'backup_failed';
}

/** Ends soon after the signal, also where the work does not. */
function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  const giveUp = () => {
    timer = setTimeout(() => reject(signal.reason as Error), patienceMs);
  };
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp, { once: true });
  return Promise.race([work, promise]).finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
  });
}
