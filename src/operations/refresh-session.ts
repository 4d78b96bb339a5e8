import { hashRefreshToken } from '../accounts/refresh-token.ts';
import { recordAudit } from '../db/audit-events.ts';
import { notify } from '../db/notify.ts';
import { endSession, lockRefreshToken, markRefreshTokenUsed } from '../db/sessions.ts';
import { RefreshTokenReusedError, UnauthenticatedError } from '../domain/errors.ts';
import { issueTokens, type SignedIn } from './issue-tokens.ts';
import type { SessionCache } from './session-cache.ts';
import type { SignInDeps } from './sign-in.ts';

export interface RefreshSessionDeps extends SignInDeps {
  sessions: Pick<SessionCache, 'forget'>;
}

/**
 * Gives a new pair for a refresh token, once. A used one that comes back within ten seconds gets a sibling: its answer was lost, or
 * two tabs raced. Later it was stolen, from us or by us: the whole session ends, whoever holds its other tokens.
 */
export async function refreshSession(
  deps: RefreshSessionDeps,
  { refreshToken, address }: { refreshToken: string; address: string },
): Promise<SignedIn> {
  const hash = hashRefreshToken(refreshToken);
  const outcome = await deps.pool.transaction(async (transaction) => {
    const token = await lockRefreshToken(transaction, hash);
    if (!token) return { isReused: false };
    const { sessionId, userId } = token;
    if (token.isReused) {
      if (await endSession(transaction, sessionId, 'token_reused')) {
        await notify(transaction, 'twolane_sessions', sessionId);
        const actor = { kind: 'user', id: userId, name: token.email } as const;
        await recordAudit(transaction, { action: 'session_ended_by_reuse', actor, subject: null, address });
      }
      return { isReused: true, sessionId };
    }
    if (!token.isAlive || token.isExpired) return { isReused: false };
    await markRefreshTokenUsed(transaction, hash);
    return { isReused: false, signedIn: await issueTokens(transaction, deps, { userId, sessionId }) };
  });
  if (outcome.signedIn) return outcome.signedIn;
  if (outcome.sessionId) await deps.sessions.forget([outcome.sessionId]);
  if (outcome.isReused) throw new RefreshTokenReusedError();
  throw new UnauthenticatedError('This refresh token is not valid, or not any more. Sign in again.');
}
