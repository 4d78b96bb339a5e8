import type { AccessTokens } from '../accounts/access-tokens.ts';
import { createRefreshToken } from '../accounts/refresh-token.ts';
import { insertRefreshToken } from '../db/sessions.ts';
import type { Db } from '../db/sql.ts';
import { findUser } from '../db/users.ts';
import { UnauthenticatedError } from '../domain/errors.ts';
import type { User } from '../domain/user.ts';

export interface SignedIn {
  accessToken: string;
  refreshToken: string;
  tokenType: 'Bearer';
  /** Seconds until the access token ends. */
  expiresIn: number;
  user: User;
}

/** A fresh pair of tokens of a session. Call inside the transaction that makes the session or uses its token. */
export async function issueTokens(
  transaction: Db,
  { tokens, refreshTokenMs }: { tokens: AccessTokens; refreshTokenMs: number },
  { userId, sessionId }: { userId: string; sessionId: string },
): Promise<SignedIn> {
  const user = await findUser(transaction, userId);
  if (!user) throw new UnauthenticatedError();
  const refresh = createRefreshToken();
  await insertRefreshToken(transaction, { hash: refresh.hash, sessionId, lifetimeMs: refreshTokenMs });
  return {
    accessToken: tokens.sign({ userId, sessionId }),
    refreshToken: refresh.token,
    tokenType: 'Bearer',
    expiresIn: tokens.lifetimeSeconds,
    user,
  };
}
