import { setTimeout as delay } from 'node:timers/promises';
import { isConnectionFault } from './fault.ts';

const againMs = 200;

/**
 * Waits out a Postgres that is away. Only for reads and for statements whose guard makes a repeat void: whether the first was
 * carried out is unknown.
 */
export async function untilReachable<T>(statement: () => Promise<T>, isGivenUp: () => boolean): Promise<T> {
  for (;;) {
    try {
      return await statement();
    } catch (error) {
      if (isGivenUp() || !isConnectionFault(error)) throw error;
      await delay(againMs);
    }
  }
}
