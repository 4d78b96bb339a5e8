import type { DatabasePool } from 'slonik';
import { recordAudit } from '../db/audit-events.ts';
import { announceSessions, listLiveSessions } from '../db/sessions.ts';
import { lockManagers, lockUser, updateRole } from '../db/users.ts';
import type { AuditActor } from '../domain/audit.ts';
import { LastManagerError, UserNotFoundError } from '../domain/errors.ts';
import type { Role, User } from '../domain/user.ts';
import type { SessionCache } from './session-cache.ts';

/** Gives an account another role; its sessions go on with it, everywhere within a second. There is always one manager left. */
export async function setRole(
  { pool, sessions }: { pool: DatabasePool; sessions: Pick<SessionCache, 'forget'> },
  { userId, role }: { userId: string; role: Role },
  { actor, address }: { actor: AuditActor; address: string },
): Promise<User> {
  const { user, changed } = await pool.transaction(async (transaction) => {
    const managers = await lockManagers(transaction);
    const former = await lockUser(transaction, userId);
    if (!former) throw new UserNotFoundError();
    if (former.role === role) return { user: former, changed: [] };
    if (former.role === 'MANAGER' && managers.length === 1) throw new LastManagerError();
    await updateRole(transaction, userId, role);
    const live = await listLiveSessions(transaction, userId);
    await announceSessions(transaction, live);
    const detail = { from: former.role, to: role };
    await recordAudit(transaction, { action: 'role_changed', actor, subject: former.email, detail, address });
    return { user: { ...former, role }, changed: live };
  });
  await sessions.forget(changed);
  return user;
}
