import type { DatabasePool } from 'slonik';
import { laneQueues } from '../../queues/lanes.ts';
import { type AttemptKey, giveBackAttempts } from '../db/order-returns.ts';
import { addToOutbox } from '../db/outbox.ts';
import { lanes } from '../domain/lane.ts';

/**
 * Gives back orders that a living host holds by the database's account, though none of its bots works on them: Postgres could
 * not be asked how they ended. Their jobs may be gone, so they travel by the outbox. Returns how many.
 */
export function giveBackOrphans(pool: DatabasePool, orphans: readonly AttemptKey[]): Promise<number> {
  return pool.transaction(async (transaction) => {
    const returned = await giveBackAttempts(transaction, orphans, 'host_lost');
    for (const lane of lanes) {
      const jobs = returned
        .filter((order) => order.lane === lane)
        .map(({ orderNumber, enqueueNo }) => ({ orderNumber, enqueueNo }));
      if (jobs.length > 0) await addToOutbox(transaction, laneQueues[lane].name, jobs);
    }
    return returned.length;
  });
}
