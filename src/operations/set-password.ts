import type { DatabasePool } from 'slonik';
import { hashPassword } from '../accounts/password.ts';
import { recordAudit } from '../db/audit-events.ts';
import { endSessionsOf } from '../db/sessions.ts';
import { lockUser, updatePassword } from '../db/users.ts';
import type { AuditActor } from '../domain/audit.ts';
import { UserNotFoundError } from '../domain/errors.ts';
import type { SessionCache } from './session-cache.ts';
import { endWait } from './sign-in-throttle.ts';

/** Gives an account a new password by somebody else's hand: whoever was signed in is so no more, and nobody has to wait. */
export async function setPassword(
  { pool, sessions }: { pool: DatabasePool; sessions: Pick<SessionCache, 'forget'> },
  { userId, password }: { userId: string; password: string },
  { actor, address }: { actor: AuditActor; address: string },
): Promise<void> {
  const passwordHash = await hashPassword(password);
  const ended = await pool.transaction(async (transaction) => {
    const user = await lockUser(transaction, userId);
    if (!user) throw new UserNotFoundError();
    await updatePassword(transaction, userId, { passwordHash });
    const live = await endSessionsOf(transaction, userId, 'password_changed');
    await endWait(transaction, userId);
    const detail = { sessionsEnded: live.length };
    await recordAudit(transaction, { action: 'password_set', actor, subject: user.email, detail, address });
    return live;
  });
  await sessions.forget(ended);
}
