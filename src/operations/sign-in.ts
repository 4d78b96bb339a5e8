import type { DatabasePool } from 'slonik';
import type { AccessTokens } from '../accounts/access-tokens.ts';
import { isPassword, whileThereIsRoom } from '../accounts/password.ts';
import { recordAudit } from '../db/audit-events.ts';
import { insertSession } from '../db/sessions.ts';
import { findCredentials, holdPassword } from '../db/users.ts';
import { networkOf } from '../domain/address.ts';
import { CredentialsInvalidError } from '../domain/errors.ts';
import { issueTokens, type SignedIn } from './issue-tokens.ts';
import { acceptSignIn, beginSignIn, refuseSignIn } from './sign-in-throttle.ts';

export interface SignInDeps {
  pool: DatabasePool;
  tokens: AccessTokens;
  refreshTokenMs: number;
}

export interface Credentials {
  email: string;
  password: string;
  address: string;
}

/** Begins a session. An unknown e-mail is refused like a wrong password, after the same work. */
export function signIn(deps: SignInDeps, credentials: Credentials): Promise<SignedIn> {
  return whileThereIsRoom(() => beginSession(deps, credentials));
}

async function beginSession(deps: SignInDeps, { email, password, address }: Credentials): Promise<SignedIn> {
  const { pool } = deps;
  const account = await findCredentials(pool, email);
  const attempt = await beginSignIn(pool, { email, userId: account?.userId ?? null, address });
  const isRight = await isPassword(password, account?.passwordHash ?? null);
  if (!account || !isRight) {
    await refuseSignIn(pool, attempt);
    throw new CredentialsInvalidError();
  }
  await acceptSignIn(pool, attempt);
  return pool.transaction(async (transaction) => {
    // Whoever changes the password or closes the account now ends this session too, or has done so before it is there.
    if (!(await holdPassword(transaction, account.userId, account.passwordHash))) throw new CredentialsInvalidError();
    const sessionId = await insertSession(transaction, {
      userId: account.userId,
      network: networkOf(address),
      lifetimeMs: deps.refreshTokenMs,
    });
    const signedIn = await issueTokens(transaction, deps, { userId: account.userId, sessionId });
    const actor = { kind: 'user', id: account.userId, name: signedIn.user.email } as const;
    await recordAudit(transaction, { action: 'sign_in', actor, subject: null, address });
    return signedIn;
  });
}
