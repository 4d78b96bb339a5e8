import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { QueueStore } from '../../queues/backend.ts';
import { laneQueues } from '../../queues/lanes.ts';
import { orderJobId } from '../../queues/order-job.ts';
import { findPlaces } from '../db/lane-places.ts';
import type { Database } from '../db/pool.ts';
import { findQueueStore, listDueBackwards, saveQueueStore, withRebuildLock } from '../db/queue-stores.ts';
import type { Db } from '../db/sql.ts';
import { ServiceUnavailableError } from '../domain/errors.ts';
import { type Lane, lanes } from '../domain/lane.ts';
import type { Logger } from '../log.ts';

export interface RebuildDeps {
  database: Database;
  store: QueueStore;
  log: Pick<Logger, 'info' | 'warn'>;
}

export type Rebuilt = Record<Lane, number>;

const pageSize = 1_000;
/** In place of the marker while a rebuild runs: one that dies half-way leaves it, and is done again. */
const rebuilding = 'rebuilding';

/**
 * Puts everything that is due by the database's account back into its lane, in order. The lanes are paused meanwhile; new orders
 * still arrive at their ends. So the lane is refilled from its last order to its first, each put at the front: what arrives
 * during the rebuild is younger and stays behind. What an order was given twice, its job id absorbs.
 */
export async function rebuildQueues({ database, store, log }: RebuildDeps): Promise<Rebuilt> {
  return database.pool.transaction((transaction) =>
    withRebuildLock(transaction, async () => {
      const queues = lanes.map((lane) => store.queue(laneQueues[lane].name));
      const wasInterrupted = (await store.readMarker()) === rebuilding;
      const pausedByHand = wasInterrupted
        ? []
        : (await Promise.all(queues.map(async (queue) => ((await queue.isPaused()) ? queue : null)))).filter(
            (queue) => queue !== null,
          );
      await store.writeMarker(rebuilding);
      await Promise.all(queues.map((queue) => queue.pause()));
      const rebuilt: Rebuilt = { vip: 0, normal: 0 };
      for (const lane of lanes) rebuilt[lane] = await refillLane(transaction, store, lane);
      await Promise.all(queues.filter((queue) => !pausedByHand.includes(queue)).map((queue) => queue.resume()));
      const marker = randomUUID();
      await saveQueueStore(transaction, store.kind, { marker, runId: await store.runId() });
      // Wiped under our hands: a marker now would call the rest complete.
      if ((await store.readMarker()) !== rebuilding) throw new ServiceUnavailableError('The queue store');
      await store.writeMarker(marker);
      log.info({ ...rebuilt, backend: store.kind }, 'queues rebuilt');
      return rebuilt;
    }),
  );
}

/** Rebuilds when the store is not the one that was last filled: wiped, restarted, restored from an old dump, or replaced. */
export async function rebuildLostQueues(deps: RebuildDeps): Promise<Rebuilt | null> {
  const { database, store, log } = deps;
  const [known, marker, runId] = await Promise.all([
    findQueueStore(database.pool, store.kind),
    store.readMarker(),
    store.runId(),
  ]);
  if (known && known.marker === marker && known.runId === runId) return null;
  if (known)
    log.warn(
      { backend: store.kind, isMarked: marker !== null, isRestarted: known.runId !== runId },
      'queue store is not as we left it',
    );
  else log.info({ backend: store.kind }, 'queue store is new');
  return rebuildQueues(deps);
}

async function refillLane(db: Db, store: QueueStore, lane: Lane): Promise<number> {
  const definition = laneQueues[lane];
  const queue = store.queue(definition.name);
  await queue.drain();
  let count = 0;
  for (let before = Number.MAX_SAFE_INTEGER; ; ) {
    const page = await listDueBackwards(db, lane, before, pageSize);
    const last = page.at(-1);
    if (!last) break;
    await queue.addBulk(
      page.map(({ orderNumber, enqueueNo }) => ({
        name: 'order',
        data: { orderNumber, enqueueNo },
        opts: { jobId: orderJobId({ orderNumber, enqueueNo }), lifo: true },
      })),
    );
    count += page.length;
    before = last.dueSeq;
  }
  await sortArrivals(db, store, lane);
  return count;
}

/**
 * Orders that were committed before the refill but handed over by their own process during it may stand in front of older ones at
 * the end of the lane. They are few: everything from the first one out of place moves to the back, in order.
 */
async function sortArrivals(db: Db, store: QueueStore, lane: Lane): Promise<void> {
  const { name } = laneQueues[lane];
  for (let round = 0; round < 5; round++) {
    const waiting = await store.listWaiting(name);
    const numbers = waiting.map((jobId) => Number(jobId.split('-')[1]));
    const dueSeqs = new Map((await findPlaces(db, numbers)).map((place) => [place.orderNumber, place.dueSeq]));
    const places = numbers.map((number) => dueSeqs.get(number) ?? 0);
    const firstOut = places.findIndex((place, index) => index > 0 && place < (places[index - 1] ?? 0));
    if (firstOut < 0) return;
    const smallest = Math.min(...places.slice(firstOut));
    const late = waiting
      .map((jobId, index) => ({ jobId, place: places[index] ?? 0 }))
      .filter(({ place }, index) => index >= firstOut || place > smallest)
      .sort((a, b) => a.place - b.place);
    await store.moveJobs(
      name,
      late.map(({ jobId }) => jobId),
      'back',
    );
    await delay(10);
  }
}
