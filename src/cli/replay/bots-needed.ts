import type { Lane } from '../../domain/lane.ts';
import { quantile } from './quantiles.ts';

export interface Arrival {
  atMs: number;
  lane: Lane;
}

export interface BotsNeeded {
  bots: number;
  /** Of all orders of both lanes. */
  p90WaitMs: number;
  /** The same with one bot less, to show how near the edge it is; null when one bot is enough. */
  p90WaitWithOneLessMs: number | null;
}

/**
 * How long each arrival waits for one of `bots`, VIP first and FIFO within a lane; a started order is never interrupted.
 * `arrivals` by time; the result is in the order of the starts.
 */
export function simulateWaits(arrivals: readonly Arrival[], bots: number, serviceMs: number): number[] {
  const waits: number[] = [];
  const startsMs: number[] = [];
  const queues: Record<Lane, LaneQueue> = { vip: new LaneQueue(), normal: new LaneQueue() };
  let arrived = 0;
  let nowMs = Number.NEGATIVE_INFINITY;
  while (waits.length < arrivals.length) {
    // Every order takes equally long, so bots become free in the order in which they started: no heap is needed.
    const freeAtMs = (startsMs[startsMs.length - bots] ?? Number.NEGATIVE_INFINITY) + serviceMs;
    nowMs = Math.max(nowMs, freeAtMs);
    if (queues.vip.isEmpty && queues.normal.isEmpty) nowMs = Math.max(nowMs, arrivals[arrived]?.atMs ?? nowMs);
    for (let next = arrivals[arrived]; next !== undefined && next.atMs <= nowMs; next = arrivals[arrived]) {
      queues[next.lane].add(next.atMs);
      arrived += 1;
    }
    waits.push(nowMs - (queues.vip.take() ?? queues.normal.take() ?? nowMs));
    startsMs.push(nowMs);
  }
  return waits;
}

/** The fewest bots with which nine of ten orders would have been started within `waitMs`. Null without orders. */
export function botsNeededFor(arrivals: readonly Arrival[], serviceMs: number, waitMs: number): BotsNeeded | null {
  if (arrivals.length === 0) return null;
  const sorted = arrivals.toSorted((one, other) => one.atMs - other.atMs);
  const p90With = (bots: number) =>
    quantile(
      simulateWaits(sorted, bots, serviceMs).sort((one, other) => one - other),
      0.9,
    );
  let previousMs: number | null = null;
  for (let bots = 1; ; bots += 1) {
    const p90WaitMs = p90With(bots); // with as many bots as orders it is 0, so this ends
    if (p90WaitMs <= waitMs) return { bots, p90WaitMs, p90WaitWithOneLessMs: previousMs };
    previousMs = p90WaitMs;
  }
}

/** An array whose front moves on: shifting a long array would copy it for every order. */
class LaneQueue {
  #arrivedAtMs: number[] = [];
  #front = 0;

  get isEmpty(): boolean {
    return this.#front === this.#arrivedAtMs.length;
  }

  add(atMs: number): void {
    this.#arrivedAtMs.push(atMs);
  }

  take(): number | undefined {
    const atMs = this.#arrivedAtMs[this.#front];
    if (atMs !== undefined) this.#front += 1;
    return atMs;
  }
}
