import type { QueueStore } from '../queues/backend.ts';
import { backupQueue } from '../queues/backup.ts';
import { pausesOf } from '../queues/cron.ts';
import { optionsOf } from '../queues/define-queue.ts';
import { hasScheduledSince } from '../src/db/backups.ts';
import type { Logger } from '../src/log.ts';
import type { BackupRunDeps } from '../src/operations/backup-deps.ts';
import { BackupInterruptedError, runBackup } from '../src/operations/run-backup.ts';
import { syncBackups } from '../src/operations/sync-backups.ts';
import { reportOverdueBackups, returnLostBackups } from '../src/operations/watch-backups.ts';
import { type JobOutcome, startJobWorker } from './job-worker.ts';

export type BackupWorkerDeps = Omit<BackupRunDeps, 'log'> & {
  queues: QueueStore;
  log: Logger;
  cron: string | null;
  /** After a failure; three times, then at the next time of the schedule. */
  retryAfterMs?: number;
};

const usualRetryMs = 120_000;
/** Another process is at it, or died a moment ago. */
const takenMs = 5_000;
/** For whoever starts next: this one is closing. */
const interruptedMs = 1_000;
const lookEveryMs = 5_000;
const syncEveryMs = 600_000;
const scheduler = 'scheduled';

/**
 * Makes the backups that were asked for, and those of the schedule, which lives in the queue store. One at a time: this process by its
 * concurrency, all of them by a lock in Postgres.
 */
export async function startBackupWorker(deps: BackupWorkerDeps): Promise<{ close(): Promise<void> }> {
  const { pool, queues, log, cron } = deps;
  const pauses = cron === null ? null : pausesOf(cron, new Date());
  const closing = new AbortController();
  // Whatever it failed by may have passed until then, or somebody has mended it.
  const judge = () => ({ isFinal: false, retryAfterMs: deps.retryAfterMs ?? usualRetryMs });
  const worker = startJobWorker(
    { store: queues, log, judge },
    backupQueue,
    1,
    async ({ backupId }): Promise<JobOutcome> => {
      if (closing.signal.aborted) return { again: 'later', inMs: interruptedMs };
      // A job may come twice: its process lost it at the end of the work.
      if (backupId === null && pauses && (await hasScheduledSince(pool, new Date(Date.now() - pauses.shortestMs / 2))))
        return 'done';
      try {
        const by = { trigger: 'schedule', requestedBy: 'schedule' } as const;
        const done = await runBackup(deps, { backupId, ...by, signal: closing.signal });
        return done ? 'done' : { again: 'later', inMs: takenMs };
      } catch (error) {
        if (error instanceof BackupInterruptedError) return { again: 'later', inMs: interruptedMs };
        throw error;
      }
    },
  );

  let isForgotten = async () => true; // the settings may be others than those of the last start
  const keepSchedule = async () => {
    if (await isForgotten()) await schedule(queues, cron);
    isForgotten = async () => cron !== null && !(await queues.queue(backupQueue.name).getJobScheduler(scheduler));
  };
  const look = inTurn(log, 'backups not looked after', async () => {
    await keepSchedule(); // a store that was wiped has forgotten it
    await returnLostBackups(pool, queues);
    if (pauses) await reportOverdueBackups(pool, pauses.longestMs);
  });
  const sync = inTurn(log, 'backups not compared with their store', () => syncBackups(deps));
  await look();
  const syncing = sync();
  const timers = [setInterval(() => void look(), lookEveryMs), setInterval(() => void sync(), syncEveryMs)];
  return {
    async close() {
      for (const timer of timers) clearInterval(timer);
      closing.abort();
      await worker.close();
      await Promise.all([look.settle(), syncing]);
    },
  };
}

async function schedule(queues: QueueStore, cron: string | null): Promise<void> {
  const queue = queues.queue(backupQueue.name);
  if (cron === null) {
    await queue.removeJobScheduler(scheduler);
    return;
  }
  const job = { name: backupQueue.name, data: { backupId: null }, opts: optionsOf(backupQueue) };
  await queue.upsertJobScheduler(scheduler, { pattern: cron, tz: 'UTC' }, job);
}

/** One at a time; a fault is said, and tried again at the next. */
function inTurn(log: Logger, failure: string, work: () => Promise<unknown>) {
  let running: Promise<void> | undefined;
  const run = async () => {
    try {
      await work();
    } catch (error) {
      log.warn({ error: (error as Error).message }, failure);
    }
  };
  const turn = () => {
    running ??= run().finally(() => {
      running = undefined;
    });
    return running;
  };
  return Object.assign(turn, { settle: async () => running });
}
