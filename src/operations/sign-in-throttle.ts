import type { DatabasePool } from 'slonik';
import { recordAudit } from '../db/audit-events.ts';
import { countAttempt, findWaitSeconds, forgetFailures, type ThrottleKey } from '../db/sign-in-failures.ts';
import { networkOf } from '../domain/address.ts';
import { TooManyAttemptsError } from '../domain/errors.ts';

/**
 * After a few failures an account has to wait 1 s, then 2 s, 4 s …, but never more than a minute: whoever guesses gets nowhere,
 * and whoever owns it is never locked out for good. The same for an account that does not exist.
 */
const accountKey = (email: string): ThrottleKey => ({
  name: `account:${email.toLowerCase()}`,
  free: 5,
  maxSeconds: 60,
});
/** An address may be a whole shop's, and a guesser may try many accounts from it: later, but longer. */
const addressKey = (address: string): ThrottleKey => ({
  name: `address:${networkOf(address)}`,
  free: 20,
  maxSeconds: 900,
});

/** Counts a sign-in before it is tried. Throws `TooManyAttemptsError` while the account or the address has to wait. */
export async function beginSignIn(pool: DatabasePool, email: string, address: string): Promise<void> {
  for (const key of [addressKey(address), accountKey(email)]) {
    if (await countAttempt(pool, key)) continue;
    const seconds = (await findWaitSeconds(pool, key.name)) ?? 0;
    throw new TooManyAttemptsError(Math.max(1, Math.ceil(seconds)));
  }
}

/** The sign-in that was begun went well. */
export async function acceptSignIn(pool: DatabasePool, email: string, address: string): Promise<void> {
  await forgetFailures(pool, accountKey(email).name, addressKey(address).name);
}

/** The sign-in that was begun failed; the audit hears of it once for each wait that it causes. */
export async function refuseSignIn(
  pool: DatabasePool,
  email: string,
  address: string,
  isKnown: boolean,
): Promise<void> {
  const seconds = await findWaitSeconds(pool, accountKey(email).name);
  if (seconds === null || !isKnown) return;
  await recordAudit(pool, {
    action: 'sign_in_delayed',
    actor: { kind: 'system', name: 'sign-in' },
    subject: email,
    detail: { seconds: Math.ceil(seconds) },
    address,
  });
}
