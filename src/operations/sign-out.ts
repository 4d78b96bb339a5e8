import { hashRefreshToken } from '../accounts/refresh-token.ts';
import { recordAudit } from '../db/audit-events.ts';
import { notify } from '../db/notify.ts';
import { endSession, lockRefreshToken } from '../db/sessions.ts';
import type { RefreshSessionDeps } from './refresh-session.ts';

/** Ends the session of a refresh token, with all its tokens. One that is not known, or has ended, is signed out already. */
export async function signOut(
  { pool, sessions }: Pick<RefreshSessionDeps, 'pool' | 'sessions'>,
  { refreshToken, address }: { refreshToken: string; address: string },
): Promise<void> {
  const sessionId = await pool.transaction(async (transaction) => {
    const token = await lockRefreshToken(transaction, hashRefreshToken(refreshToken));
    if (!token || !(await endSession(transaction, token.sessionId, 'signed_out'))) return null;
    await notify(transaction, 'twolane_sessions', token.sessionId);
    const actor = { kind: 'user', id: token.userId, name: token.email } as const;
    await recordAudit(transaction, { action: 'sign_out', actor, subject: null, address });
    return token.sessionId;
  });
  if (sessionId !== null) await sessions.forget([sessionId]);
}
