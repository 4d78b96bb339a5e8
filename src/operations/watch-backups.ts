import type { QueueStore } from '../../queues/backend.ts';
import { backupQueue } from '../../queues/backup.ts';
import { optionsOf } from '../../queues/define-queue.ts';
import { endDeadBackups, findLastMigrationTime, findLastVerified, listWaitingBackups } from '../db/backups.ts';
import { listServiceFaults, reportServiceFault } from '../db/service-faults.ts';
import type { Db } from '../db/sql.ts';
import { silentAtMostMs } from './ask-for-backup.ts';

/** A job that is on its way needs less. */
const jobLostAfterMs = 5_000;

/** Puts back the jobs of backups that wait and whose queue was wiped, and ends the rows of runs that died without one. */
export async function returnLostBackups(db: Db, store: QueueStore): Promise<void> {
  await endDeadBackups(db, silentAtMostMs);
  const waiting = await listWaitingBackups(db, jobLostAfterMs);
  const { name } = backupQueue;
  for (const backupId of waiting) {
    const { id, data } = backupQueue.job({ backupId });
    const queue = store.queue(name);
    const left = await queue.getJob(id);
    if (await left?.isFailed()) await left?.remove(); // given up before it could begin: it would absorb the new one
    await queue.add(name, data, { ...optionsOf(backupQueue), jobId: id });
  }
}

/** Says in `/readyz` when the last verified backup is older than twice the pause of the schedule. The next verified one takes that back. */
export async function reportOverdueBackups(db: Db, longestPauseMs: number, now = new Date()): Promise<boolean> {
  const last = await findLastVerified(db);
  const since = last?.snapshotAt ? Date.parse(last.snapshotAt) : await findLastMigrationTime(db);
  if (now.getTime() - since <= 2 * longestPauseMs) return false;
  if ((await listServiceFaults(db)).some(({ service }) => service === 'backups')) return true; // a run has said why
  const when = new Date(since).toISOString();
  const message = last ? `The last verified backup is of ${when}.` : `No backup was verified since ${when}.`;
  await reportServiceFault(db, { service: 'backups', code: 'backup_overdue', message });
  return true;
}
