import type { DatabasePool } from 'slonik';
import { countAttempt, findWaitSeconds, type ThrottleKey } from '../db/sign-in-failures.ts';
import { networkOf } from '../domain/address.ts';
import { TooManyAttemptsError } from '../domain/errors.ts';
import type { Logger } from '../log.ts';
import { within } from './within.ts';

const answerMs = 1_000;

/** A browser that has an old password sends it with a dozen requests of one page before somebody is asked for the new one. */
const guessKey = (address: string): ThrottleKey => ({
  name: `admin:${networkOf(address)}`,
  free: 20,
  maxSeconds: 900,
});

export interface AdminGuessesDeps {
  pool: DatabasePool;
  log: Pick<Logger, 'warn'>;
}

/** Guessing the admin's password slows down, for an address: after some failures it waits 1 s, then 2 s, up to a quarter of an hour. */
export interface AdminGuesses {
  /** Throws `TooManyAttemptsError` while the address has to wait, whatever it says: else guessing would go on through the wait. */
  assertNoWait(address: string): Promise<void>;
  countFailure(address: string): Promise<void>;
}

/** While the database is away nothing is counted, and nobody waits: then of all times the admin must get in. */
export function createAdminGuesses({ pool, log }: AdminGuessesDeps): AdminGuesses {
  const ask = async <T>(answer: Promise<T>): Promise<T | null> => {
    try {
      return await within(answerMs, 'The database', answer);
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'guesses of the admin password not counted');
      return null;
    }
  };
  return {
    async assertNoWait(address) {
      const seconds = await ask(findWaitSeconds(pool, guessKey(address).name));
      if (seconds !== null) throw new TooManyAttemptsError(Math.max(1, Math.ceil(seconds)));
    },
    async countFailure(address) {
      await ask(countAttempt(pool, guessKey(address)));
    },
  };
}
