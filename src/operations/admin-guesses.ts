import type { DatabasePool } from 'slonik';
import { isDatabaseGone } from '../db/database-gone.ts';
import { countAttempt, findWaitSeconds, type ThrottleKey, takeBackAttempt } from '../db/sign-in-failures.ts';
import { networkOf } from '../domain/address.ts';
import { TooManyAttemptsError } from '../domain/errors.ts';
import type { Logger } from '../log.ts';
import { within } from './within.ts';

const answerMs = 3_000;
const rememberedMs = 300_000;

/** A browser that has an old password sends it with a dozen requests of one page before somebody is asked for the new one. */
const guessKey = (network: string): ThrottleKey => ({ name: `admin:${network}`, free: 20, maxSeconds: 900 });

export interface AdminGuessesDeps {
  pool: DatabasePool;
  log: Pick<Logger, 'warn'>;
}

/** Guessing the admin's password slows down, for a network: after some failures it waits 1 s, then 2 s, up to a quarter of an hour. */
export interface AdminGuesses {
  /**
   * Whether what came from the address is right; `compare` is asked at most once. Throws `TooManyAttemptsError` while the network
   * has to wait, whatever it says: else guessing would go on through the wait.
   */
  judge(address: string, compare: () => boolean): Promise<boolean>;
}

/**
 * A guess is counted before it is compared, so that a hundred at once are not a hundred free guesses, and taken back when it was
 * right. A page of many parts sends the right one with each: so a network that gave it is remembered here for a while and counts
 * no more, until the first wrong one. Only while the database is gone nothing is counted: then of all times the admin must get in.
 * One that is slow does not open: anybody can make it slow.
 */
export function createAdminGuesses({ pool, log }: AdminGuessesDeps): AdminGuesses {
  /** Until when, by network: only whoever knows the password gets in here, so it stays small. */
  const remembered = new Map<string, number>();

  const remember = (network: string) => {
    const now = Date.now();
    for (const [one, until] of remembered) if (until <= now) remembered.delete(one);
    remembered.set(network, now + rememberedMs);
  };

  const attempt = async (key: ThrottleKey): Promise<void> => {
    if (await countAttempt(pool, key)) return;
    throw new TooManyAttemptsError(Math.max(1, Math.ceil((await findWaitSeconds(pool, key.name)) ?? 0)));
  };

  /** False where it could not be counted. */
  const count = async (network: string): Promise<boolean> => {
    try {
      await within(answerMs, 'The database', attempt(guessKey(network)));
      return true;
    } catch (error) {
      if (!isDatabaseGone(error)) throw error;
      log.warn({ error: (error as Error).message }, 'guess of the admin password not counted');
      return false;
    }
  };

  const takeBack = async (network: string): Promise<void> => {
    try {
      await within(answerMs, 'The database', takeBackAttempt(pool, guessKey(network).name));
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'right admin password not taken back');
    }
  };

  return {
    async judge(address, compare) {
      const network = networkOf(address);
      if ((remembered.get(network) ?? 0) > Date.now()) {
        if (compare()) return true;
        remembered.delete(network); // before anything is awaited: of a burst this one alone is compared first
        await count(network);
        return false;
      }
      const isCounted = await count(network);
      if (!compare()) {
        remembered.delete(network);
        return false;
      }
      if (isCounted) {
        remember(network);
        await takeBack(network);
      }
      return true;
    },
  };
}
