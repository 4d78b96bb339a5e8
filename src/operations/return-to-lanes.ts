import type { DatabasePool } from 'slonik';
import { anyToken, type QueueStore } from '../../queues/backend.ts';
import { laneQueues } from '../../queues/lanes.ts';
import type { ReturnedOrder } from '../db/order-returns.ts';
import { lanes } from '../domain/lane.ts';
import { restorePlaces } from './restore-places.ts';

export interface ReturnToLanesDeps {
  pool: DatabasePool;
  store: QueueStore;
}

/** Brings the jobs of a dead host's orders back to their lanes, whoever had claimed them; in one step per lane, oldest order first. */
export async function returnToLanes(
  { pool, store }: ReturnToLanesDeps,
  orders: readonly ReturnedOrder[],
): Promise<void> {
  for (const lane of lanes) {
    const definition = laneQueues[lane];
    const back = orders
      .filter((order) => order.lane === lane && order.status === 'pending')
      .sort((a, b) => b.dueSeq - a.dueSeq);
    if (back.length === 0) continue;
    const jobs = back.map((order) => ({ id: definition.jobId(order), token: anyToken }));
    await store.returnJobs(definition.name, jobs);
    await restorePlaces(
      { db: pool, store },
      lane,
      back.map((order) => order.orderNumber),
    );
  }
}
