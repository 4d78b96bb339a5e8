import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import type { QueueStore } from '../../queues/backend.ts';
import { optionsOf } from '../../queues/define-queue.ts';
import { laneQueues } from '../../queues/lanes.ts';
import { orderJobId, parseOrderJobId } from '../../queues/order-job.ts';
import { paymentSyncQueue } from '../../queues/payment-sync.ts';
import { findPlaces } from '../db/lane-places.ts';
import { listUnansweredSyncs } from '../db/payments.ts';
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
/** In place of the marker while a rebuild runs, with the lanes that were paused by hand: one that dies half-way is done again. */
const rebuildingPrefix = 'rebuilding ';

/**
 * Puts everything that is due by the database's account back into its lane, in order. The lanes are paused meanwhile; new orders
 * still arrive at their ends. So the lane is refilled from its last order to its first, each put at the front: what arrives
 * during the rebuild is younger and stays behind. What an order was given twice, its job id absorbs.
 */
export async function rebuildQueues({ database, store, log }: RebuildDeps): Promise<Rebuilt> {
  return database.pool.transaction((transaction) =>
    withRebuildLock(transaction, async () => {
      const queues = lanes.map((lane) => store.queue(laneQueues[lane].name));
      const pausedByHand = namesIn(await store.readMarker()) ?? (await listPaused(queues));
      const rebuilding = `${rebuildingPrefix}${pausedByHand.join(' ')}`;
      await store.writeMarker(rebuilding);
      await Promise.all(queues.map((queue) => queue.pause()));
      await store.writeMarker(rebuilding); // once more: a store that was wiped in between would call our pause somebody's own
      const rebuilt: Rebuilt = { vip: 0, normal: 0 };
      try {
        for (const lane of lanes) rebuilt[lane] = await refillLane(transaction, store, lane);
        await refillPayments(transaction, store);
      } finally {
        await Promise.all(queues.filter(({ name }) => !pausedByHand.includes(name)).map((queue) => queue.resume()));
      }
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

/** The lanes that an interrupted rebuild found paused; null when the marker is not a rebuild's. */
function namesIn(marker: string | null): string[] | null {
  if (!marker?.startsWith(rebuildingPrefix)) return null;
  return marker.slice(rebuildingPrefix.length).split(' ').filter(Boolean);
}

async function listPaused(queues: readonly Queue[]): Promise<string[]> {
  const isPaused = await Promise.all(queues.map((queue) => queue.isPaused()));
  return queues.filter((_queue, index) => isPaused[index]).map(({ name }) => name);
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

/** What was asked for and not looked at yet. The janitor would find it too, some seconds later. */
async function refillPayments(db: Db, store: QueueStore): Promise<void> {
  const jobs = (await listUnansweredSyncs(db)).map((sync) => paymentSyncQueue.job(sync));
  const options = optionsOf(paymentSyncQueue);
  const { name } = paymentSyncQueue;
  await store.queue(name).addBulk(jobs.map(({ id, data }) => ({ name, data, opts: { ...options, jobId: id } })));
}

/**
 * Orders that were committed before the refill but handed over by their own process during it may stand in front of older ones at
 * the end of the lane. They are few: everything from the first one out of place moves to the back, in order.
 */
async function sortArrivals(db: Db, store: QueueStore, lane: Lane): Promise<void> {
  const { name } = laneQueues[lane];
  for (let round = 0; round < 5; round++) {
    const waiting = (await store.listWaiting(name)).flatMap((jobId) => {
      const order = parseOrderJobId(jobId);
      return order ? [{ jobId, orderNumber: order.orderNumber }] : []; // anything else is nobody's order
    });
    const numbers = waiting.map(({ orderNumber }) => orderNumber);
    const dueSeqs = new Map((await findPlaces(db, numbers)).map((place) => [place.orderNumber, place.dueSeq]));
    const places = numbers.map((number) => dueSeqs.get(number) ?? 0);
    const firstOut = places.findIndex((place, index) => index > 0 && place < (places[index - 1] ?? 0));
    if (firstOut < 0) return;
    const smallest = places.slice(firstOut).reduce((least, place) => Math.min(least, place));
    const late = waiting
      .map(({ jobId }, index) => ({ jobId, place: places[index] ?? 0 }))
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
