import type { DatabasePool } from 'slonik';
import { recordAudit } from '../db/audit-events.ts';
import { endSessionsOf } from '../db/sessions.ts';
import { closeUser, lockManagers, lockUser } from '../db/users.ts';
import type { AuditActor } from '../domain/audit.ts';
import { LastManagerError, UserNotFoundError } from '../domain/errors.ts';
import type { SessionCache } from './session-cache.ts';

/** Closes an account for good; its orders stay, and its robot is retired by the relay. There is always one manager left. */
export async function closeAccount(
  { pool, sessions }: { pool: DatabasePool; sessions: Pick<SessionCache, 'forget'> },
  userId: string,
  { actor, address }: { actor: AuditActor; address: string },
): Promise<void> {
  const ended = await pool.transaction(async (transaction) => {
    const managers = await lockManagers(transaction);
    const user = await lockUser(transaction, userId);
    if (!user) throw new UserNotFoundError();
    if (user.role === 'MANAGER' && managers.length === 1) throw new LastManagerError();
    await closeUser(transaction, userId);
    const live = await endSessionsOf(transaction, userId, 'account_closed');
    const detail = { role: user.role, sessionsEnded: live.length };
    await recordAudit(transaction, { action: 'account_closed', actor, subject: user.email, detail, address });
    return live;
  });
  await sessions.forget(ended);
}
