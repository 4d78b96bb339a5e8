import type { QueueStore } from '../../queues/backend.ts';
import { laneQueues } from '../../queues/lanes.ts';
import { orderJobId } from '../../queues/order-job.ts';
import { findDueAfter, findDueBefore, findPlaces, type LanePlace } from '../db/lane-places.ts';
import type { Db } from '../db/sql.ts';
import type { Lane } from '../domain/lane.ts';

export interface RestorePlacesDeps {
  db: Db;
  store: QueueStore;
}

/** Beyond this many moves a rebuild of the lane is cheaper. */
const maxMoves = 2_000;

/**
 * Puts jobs that came back to a lane (given back, recovered, handed over late) at the places their due_seq gives. A queue only
 * has a front and a back, so the shorter side moves: everything due before them to the front, youngest first, or everything
 * due after them to the back. Two processes doing this at once end in the same order. Returns false where neither side is
 * short; the caller rebuilds the lane.
 */
export async function restorePlaces(
  { db, store }: RestorePlacesDeps,
  lane: Lane,
  orderNumbers: readonly number[],
): Promise<boolean> {
  const back = [...(await findPlaces(db, orderNumbers))].sort(byPlace);
  const first = back[0];
  const last = back.at(-1);
  if (!first || !last) return true;
  const before = await findDueBefore(db, lane, last.dueSeq, maxMoves + 1);
  const front = merge(before, back);
  if (front.length <= maxMoves) {
    await store.moveJobs(laneQueues[lane].name, front.reverse().map(orderJobId), 'front');
    return true;
  }
  const after = await findDueAfter(db, lane, first.dueSeq, maxMoves + 1);
  const rear = merge(after, back);
  if (rear.length > maxMoves) return false;
  await store.moveJobs(laneQueues[lane].name, rear.map(orderJobId), 'back');
  return true;
}

const byPlace = (a: LanePlace, b: LanePlace) => a.dueSeq - b.dueSeq;

function merge(neighbours: readonly LanePlace[], back: readonly LanePlace[]): LanePlace[] {
  const places = new Map([...neighbours, ...back].map((place) => [place.orderNumber, place]));
  return [...places.values()].sort(byPlace);
}
