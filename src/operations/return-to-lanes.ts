import type { DatabasePool } from 'slonik';
import { anyToken, type QueueStore } from '../../queues/backend.ts';
import { laneQueues } from '../../queues/lanes.ts';
import { parseOrderJobId } from '../../queues/order-job.ts';
import { findPlaces } from '../db/lane-places.ts';
import type { ReturnedOrder } from '../db/order-returns.ts';
import { lanes } from '../domain/lane.ts';
import { restorePlaces } from './restore-places.ts';

export interface ReturnToLanesDeps {
  pool: DatabasePool;
  store: QueueStore;
}

/**
 * Brings the jobs of dead hosts back to their lanes, in one step per lane, oldest order first: those of the orders that were
 * given back for them, and those they had claimed without having started the order yet, of which only the queue knows.
 */
export async function returnToLanes(
  { pool, store }: ReturnToLanesDeps,
  orders: readonly ReturnedOrder[],
  deadHostIds: readonly string[],
): Promise<void> {
  for (const lane of lanes) {
    const definition = laneQueues[lane];
    const given = orders.filter((order) => order.lane === lane && order.status === 'pending');
    const claimed = (await store.listActive(definition.name))
      .filter(({ claimedBy }) => claimedBy !== undefined && deadHostIds.includes(claimedBy))
      .flatMap(({ id }) => parseOrderJobId(id) ?? []);
    const orderNumbers = [...new Set([...given, ...claimed].map((order) => order.orderNumber))];
    if (orderNumbers.length === 0) continue;
    const places = [...(await findPlaces(pool, orderNumbers))].sort((a, b) => b.dueSeq - a.dueSeq);
    const jobs = places.map((place) => ({ id: definition.jobId(place), token: anyToken }));
    await store.returnJobs(definition.name, jobs);
    await restorePlaces({ db: pool, store }, lane, orderNumbers);
  }
}
