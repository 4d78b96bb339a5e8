import { randomUUID } from 'node:crypto';
import type { DatabasePool } from 'slonik';
import { backupQueue } from '../../queues/backup.ts';
import { makeBackupName } from '../backup/backup-name.ts';
import { recordAudit } from '../db/audit-events.ts';
import { findBackupUnderWay, insertBackup, lockAsking } from '../db/backups.ts';
import { addToOutbox } from '../db/outbox.ts';
import type { AuditActor } from '../domain/audit.ts';
import type { Backup } from '../domain/backup.ts';

/** Renewed every few seconds while somebody is at a backup. */
export const silentAtMostMs = 60_000;

/** Has a backup made by a worker, and gives its row; the one that waits or is under way where there is one. */
export async function askForBackup(
  { pool, wakeRelay }: { pool: DatabasePool; wakeRelay(): void },
  by: { actor: AuditActor; address: string },
): Promise<Backup> {
  const backup = await pool.transaction(async (transaction) => {
    await lockAsking(transaction);
    const underWay = await findBackupUnderWay(transaction, silentAtMostMs);
    if (underWay) return underWay;
    const id = randomUUID();
    const name = makeBackupName();
    const asked = await insertBackup(transaction, { id, name, trigger: 'api', requestedBy: by.actor.name });
    await addToOutbox(transaction, backupQueue.name, [{ backupId: id }]);
    await recordAudit(transaction, { action: 'backup_requested', subject: `backup ${name}`, ...by });
    return asked;
  });
  wakeRelay();
  return backup;
}
