import type { DatabasePool } from 'slonik';
import { hashPassword, isPassword, whileThereIsRoom } from '../accounts/password.ts';
import { recordAudit } from '../db/audit-events.ts';
import { endSessionsOf } from '../db/sessions.ts';
import { findPasswordHash, updatePassword } from '../db/users.ts';
import { ForbiddenError } from '../domain/errors.ts';
import type { Actor } from '../domain/user.ts';
import type { SessionCache } from './session-cache.ts';
import { acceptSignIn, beginSignIn, refuseSignIn } from './sign-in-throttle.ts';

export interface PasswordChange {
  currentPassword: string;
  newPassword: string;
  /** The one that asks: it goes on. All others of the account end. */
  sessionId: string | null;
  address: string;
}

export interface ChangePasswordDeps {
  pool: DatabasePool;
  sessions: Pick<SessionCache, 'forget'>;
}

const refusal = 'This is not the current password.';

/**
 * Gives an account a new password by its owner, who proves to know the current one: a token alone may be stolen. Guessing it
 * counts as failed sign-ins do. A wrong one is `forbidden`, never a 401, after which clients refresh their tokens and ask again.
 */
export function changePassword(deps: ChangePasswordDeps, actor: Actor, change: PasswordChange): Promise<void> {
  return whileThereIsRoom(() => replacePassword(deps, actor, change));
}

async function replacePassword(
  { pool, sessions }: ChangePasswordDeps,
  { userId, email }: Actor,
  { currentPassword, newPassword, sessionId, address }: PasswordChange,
): Promise<void> {
  const attempt = await beginSignIn(pool, { email, userId, address });
  const former = await findPasswordHash(pool, userId);
  if (!(await isPassword(currentPassword, former))) {
    await refuseSignIn(pool, attempt);
    throw new ForbiddenError(refusal);
  }
  await acceptSignIn(pool, attempt);
  const passwordHash = await hashPassword(newPassword);
  const ended = await pool.transaction(async (transaction) => {
    if (!(await updatePassword(transaction, userId, { passwordHash, former }))) throw new ForbiddenError(refusal);
    const others = await endSessionsOf(transaction, userId, 'password_changed', sessionId);
    const actor = { kind: 'user', id: userId, name: email } as const;
    const detail = { sessionsEnded: others.length };
    await recordAudit(transaction, { action: 'password_changed', actor, subject: null, detail, address });
    return others;
  });
  await sessions.forget(ended);
}
