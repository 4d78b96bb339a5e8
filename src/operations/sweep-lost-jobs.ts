import type { QueueStore } from '../../queues/backend.ts';
import { laneQueues } from '../../queues/lanes.ts';
import { orderJobId } from '../../queues/order-job.ts';
import type { Database } from '../db/pool.ts';
import { listDueForwards } from '../db/queue-stores.ts';
import { type Lane, lanes } from '../domain/lane.ts';
import type { Logger } from '../log.ts';
import { rebuildQueues } from './rebuild-queues.ts';
import { restorePlaces } from './restore-places.ts';

export interface SweepDeps {
  database: Database;
  store: QueueStore;
  log: Logger;
  /** An order younger than this may still be on its way to its lane; 10 s when left out. */
  settledMs?: number;
}

const pageSize = 500;
const defaultSettledMs = 10_000;
/** Looked at per sweep and lane; a longer lane is gone through in several. */
const pagesPerSweep = 20;

/** A due order's job is in none of these by our doing. */
const goneStates = new Set(['unknown', 'completed', 'failed']);

/** Where the next sweep goes on, by lane: the place of the last order that was looked at. */
export type SweepPosition = Record<Lane, number>;

/** Adds back due orders whose job is gone for a reason nobody told us: somebody removed it in Bull Board. Returns how many. */
export async function sweepLostJobs(deps: SweepDeps, resumeAfter: SweepPosition): Promise<number> {
  let lost = 0;
  for (const lane of lanes) {
    for (let page = 0; page < pagesPerSweep; page++) {
      const { found, last } = await sweepPage(deps, lane, resumeAfter[lane]);
      lost += found;
      resumeAfter[lane] = last ?? 0;
      if (last === null) break;
    }
  }
  return lost;
}

async function sweepPage(
  { database, store, log, settledMs = defaultSettledMs }: SweepDeps,
  lane: Lane,
  after: number,
): Promise<{ found: number; last: number | null }> {
  const definition = laneQueues[lane];
  const queue = store.queue(definition.name);
  const places = await listDueForwards(database.pool, lane, after, pageSize, settledMs);
  const states = await Promise.all(places.map((place) => queue.getJobState(orderJobId(place))));
  const lost = places.filter((_place, index) => goneStates.has(states[index] ?? 'unknown'));
  // One that was moved among the finished ones by hand would absorb the new one.
  await Promise.all(lost.map((place) => queue.remove(orderJobId(place))));
  if (lost.length > 0) {
    await queue.addBulk(
      lost.map(({ orderNumber, enqueueNo }) => ({
        name: 'order',
        data: { orderNumber, enqueueNo },
        opts: { jobId: orderJobId({ orderNumber, enqueueNo }) },
      })),
    );
    log.warn({ lane, orders: lost.length }, 'due orders without a job added back');
    const orderNumbers = lost.map((place) => place.orderNumber);
    const isInOrder = await restorePlaces({ db: database.pool, store }, lane, orderNumbers);
    if (!isInOrder) await rebuildQueues({ database, store, log });
  }
  return { found: lost.length, last: places.length === pageSize ? (places.at(-1)?.dueSeq ?? null) : null };
}
