import type { DatabasePool } from 'slonik';
import type { AccessTokens } from '../accounts/access-tokens.ts';
import { isPassword } from '../accounts/password.ts';
import { recordAudit } from '../db/audit-events.ts';
import { insertSession } from '../db/sessions.ts';
import { findCredentials } from '../db/users.ts';
import { CredentialsInvalidError } from '../domain/errors.ts';
import { issueTokens, type SignedIn } from './issue-tokens.ts';
import { acceptSignIn, beginSignIn, refuseSignIn } from './sign-in-throttle.ts';

export interface SignInDeps {
  pool: DatabasePool;
  tokens: AccessTokens;
  refreshTokenMs: number;
}

/** Begins a session. An unknown e-mail is refused like a wrong password, after the same work. */
export async function signIn(
  deps: SignInDeps,
  { email, password, address }: { email: string; password: string; address: string },
): Promise<SignedIn> {
  const { pool } = deps;
  await beginSignIn(pool, email, address);
  const account = await findCredentials(pool, email);
  const isRight = await isPassword(password, account?.passwordHash ?? null);
  if (!account || !isRight) {
    await refuseSignIn(pool, email, address, account !== null);
    throw new CredentialsInvalidError();
  }
  await acceptSignIn(pool, email, address);
  return pool.transaction(async (transaction) => {
    const sessionId = await insertSession(transaction, account.userId, deps.refreshTokenMs);
    const signedIn = await issueTokens(transaction, deps, { userId: account.userId, sessionId });
    const actor = { kind: 'user', id: account.userId, name: signedIn.user.email } as const;
    await recordAudit(transaction, { action: 'sign_in', actor, subject: null, address });
    return signedIn;
  });
}
