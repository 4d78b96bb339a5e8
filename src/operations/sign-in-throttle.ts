import type { DatabasePool } from 'slonik';
import { recordAudit } from '../db/audit-events.ts';
import { hasSignedInFrom, listNetworks } from '../db/sessions.ts';
import {
  countAttempt,
  findWaitSeconds,
  forgetFailures,
  type ThrottleKey,
  takeBackAttempt,
} from '../db/sign-in-failures.ts';
import type { Db } from '../db/sql.ts';
import { networkOf } from '../domain/address.ts';
import { TooManyAttemptsError } from '../domain/errors.ts';

/** Whose password is tried, and from where. */
export interface SignInAttempt {
  email: string;
  /** Null where there is no such account. */
  userId: string | null;
  address: string;
}

const nobody = '00000000-0000-0000-0000-000000000000';

interface CountedAttempt extends SignInAttempt {
  accountKey: ThrottleKey;
  addressKey: ThrottleKey;
}

/**
 * After a few failures an account has to wait 1 s, then 2 s, 4 s …, but never more than a minute: whoever guesses gets nowhere.
 * The same for an account that does not exist. Named by its id, so that no other spelling of the e-mail is counted apart. Where
 * it was signed in from before it is counted apart: whoever guesses from elsewhere does not keep its owner out.
 */
async function accountKeyOf(pool: DatabasePool, { email, userId, address }: SignInAttempt): Promise<ThrottleKey> {
  const network = networkOf(address);
  const isAtHome = await hasSignedInFrom(pool, userId ?? nobody, network); // asked for nobody too: in the same time
  return isAtHome && userId !== null ? atHome(userId, network) : throttleOf(userId ?? email.toLowerCase());
}
const atHome = (userId: string, network: string) => throttleOf(`${userId}@${network}`);
const throttleOf = (account: string): ThrottleKey => ({ name: `account:${account}`, free: 5, maxSeconds: 60 });

/** An address may be a whole shop's, and a guesser may try many accounts from it: later, but longer. */
const addressKeyOf = (address: string): ThrottleKey => ({
  name: `address:${networkOf(address)}`,
  free: 20,
  maxSeconds: 900,
});

/** Counts a sign-in before it is tried. Throws `TooManyAttemptsError` while the account or the address has to wait. */
export async function beginSignIn(pool: DatabasePool, attempt: SignInAttempt): Promise<CountedAttempt> {
  const [accountKey, addressKey] = [await accountKeyOf(pool, attempt), addressKeyOf(attempt.address)];
  if (!(await countAttempt(pool, addressKey))) throw await tooManyAttempts(pool, addressKey);
  if (!(await countAttempt(pool, accountKey))) {
    await takeBackAttempt(pool, addressKey.name); // nothing was tried
    throw await tooManyAttempts(pool, accountKey);
  }
  return { ...attempt, accountKey, addressKey };
}

async function tooManyAttempts(pool: DatabasePool, { name }: ThrottleKey): Promise<TooManyAttemptsError> {
  return new TooManyAttemptsError(Math.max(1, Math.ceil((await findWaitSeconds(pool, name)) ?? 0)));
}

/** The sign-in that was begun went well: the account starts anew, the address takes back this one. */
export async function acceptSignIn(pool: DatabasePool, { accountKey, addressKey }: CountedAttempt): Promise<void> {
  await forgetFailures(pool, accountKey.name);
  await takeBackAttempt(pool, addressKey.name);
}

/** Whoever guessed the former password, the new one is not made to wait for it, wherever it is used. */
export async function endWait(db: Db, userId: string): Promise<void> {
  const networks = await listNetworks(db, userId);
  for (const { name } of [throttleOf(userId), ...networks.map((network) => atHome(userId, network))])
    await forgetFailures(db, name);
}

/** The sign-in that was begun failed; the audit hears of it once for each wait that it causes. */
export async function refuseSignIn(
  pool: DatabasePool,
  { email, userId, address, accountKey }: CountedAttempt,
): Promise<void> {
  const seconds = await findWaitSeconds(pool, accountKey.name);
  if (seconds === null || userId === null) return;
  await recordAudit(pool, {
    action: 'sign_in_delayed',
    actor: { kind: 'system', name: 'sign-in' },
    subject: email,
    detail: { seconds: Math.ceil(seconds) },
    address,
  });
}
