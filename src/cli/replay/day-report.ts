import { type Lane, lanes } from '../../domain/lane.ts';
import { type BotsNeeded, botsNeededFor } from './bots-needed.ts';
import type { Ending, OrderFacts } from './order-facts.ts';
import { type Spread, spreadOf } from './quantiles.ts';

/** One order that was sent, in both clocks. */
export interface SentOrder {
  number: number;
  lane: Lane;
  /** In the file's time. */
  fileAtMs: number;
  /** In the server's. */
  placedAtMs: number;
  /** The server had it from an earlier replay of the file: it was not part of this one. */
  alreadySent: boolean;
  facts: OrderFacts;
}

/** The same waits, as they were and as they are in the file's time (× speed). */
export interface BothClocks {
  fileTime: Spread | null;
  realTime: Spread | null;
}

export interface LaneReport {
  orders: number;
  complete: number;
  /** Placed → first started. */
  wait: BothClocks;
  /** Placed → complete. */
  ready: BothClocks;
}

export interface DayReport {
  sent: number;
  alreadySent: number;
  ended: Record<Ending, number>;
  unfinished: number;
  lanes: Record<Lane, LaneReport>;
  /** By the file's clock, of all orders in the file. */
  busiestQuarter: { fromMs: number; orders: number } | null;
  bots: { meanBusy: number | null; most: number };
  /** The mean time that a complete order was in the hands of bots. */
  service: { realTimeMs: number; fileTimeMs: number } | null;
  /** `serviceMs` in the file's time: as measured, or as told. */
  botsNeeded: (BotsNeeded & { waitMs: number; serviceMs: number; isServiceMeasured: boolean }) | null;
}

export interface DayReportInput {
  orders: readonly SentOrder[];
  /** Of every order in the file, sent or not. */
  fileTimesMs: readonly number[];
  speed: number;
  waitMs: number;
  /** What an order takes in this shop, in the file's time, instead of what was measured. */
  serviceMs?: number | undefined;
  mostBots: number;
  /** When the replay ended: what is still in work was worked on until then. */
  endedAtMs: number;
}

export function reportDay(input: DayReportInput): DayReport {
  const { orders, speed } = input;
  const fresh = orders.filter((order) => !order.alreadySent);
  const endedAs = (ending: Ending) => fresh.filter(({ facts }) => facts.endedAs === ending).length;
  const serviceTimesMs = fresh.flatMap(({ facts }) => (facts.endedAs === 'complete' ? [facts.busyMs] : []));
  const meanMs = serviceTimesMs.length === 0 ? null : sum(serviceTimesMs) / serviceTimesMs.length;
  return {
    sent: fresh.length,
    alreadySent: orders.length - fresh.length,
    ended: { complete: endedAs('complete'), failed: endedAs('failed'), cancelled: endedAs('cancelled') },
    unfinished: fresh.filter(({ facts }) => facts.endedAs === null).length,
    lanes: { vip: reportLane(fresh, 'vip', speed), normal: reportLane(fresh, 'normal', speed) },
    busiestQuarter: busiestQuarterOf(input.fileTimesMs),
    bots: { meanBusy: meanBusyOf(fresh, input.endedAtMs), most: input.mostBots },
    service: meanMs === null ? null : { realTimeMs: meanMs, fileTimeMs: meanMs * speed },
    botsNeeded: botsNeededIn(fresh, input, meanMs === null ? null : meanMs * speed),
  };
}

function reportLane(orders: readonly SentOrder[], lane: Lane, speed: number): LaneReport {
  const ofLane = orders.filter((order) => order.lane === lane);
  const complete = ofLane.filter(({ facts }) => facts.endedAs === 'complete');
  const waitsMs = ofLane.flatMap(({ facts, placedAtMs }) =>
    facts.firstStartedAtMs === null ? [] : [facts.firstStartedAtMs - placedAtMs],
  );
  const readyMs = complete.flatMap(({ facts, placedAtMs }) =>
    facts.endedAtMs === null ? [] : [facts.endedAtMs - placedAtMs],
  );
  return {
    orders: ofLane.length,
    complete: complete.length,
    wait: inBothClocks(waitsMs, speed),
    ready: inBothClocks(readyMs, speed),
  };
}

function inBothClocks(realMs: number[], speed: number): BothClocks {
  const positiveMs = realMs.map((valueMs) => Math.max(0, valueMs)); // a start may carry the clock of another process
  return { realTime: spreadOf(positiveMs), fileTime: spreadOf(positiveMs.map((valueMs) => valueMs * speed)) };
}

const quarterMs = 15 * 60_000;

/** The earliest of the busiest, by quarters of the clock: every time zone's offset is a whole number of them. */
export function busiestQuarterOf(timesMs: readonly number[]): { fromMs: number; orders: number } | null {
  const counts = new Map<number, number>();
  for (const atMs of timesMs) {
    const fromMs = Math.floor(atMs / quarterMs) * quarterMs;
    counts.set(fromMs, (counts.get(fromMs) ?? 0) + 1);
  }
  let busiest: { fromMs: number; orders: number } | null = null;
  for (const [fromMs, orders] of counts) {
    if (!busiest || orders > busiest.orders || (orders === busiest.orders && fromMs < busiest.fromMs)) {
      busiest = { fromMs, orders };
    }
  }
  return busiest;
}

/** Work divided by the time from the first order to the last end. */
function meanBusyOf(orders: readonly SentOrder[], endedAtMs: number): number | null {
  const firstMs = Math.min(...orders.map(({ placedAtMs }) => placedAtMs));
  const lastMs = Math.max(...orders.map(({ facts }) => facts.endedAtMs ?? endedAtMs));
  if (orders.length === 0 || lastMs <= firstMs) return null;
  const workMs = orders.map(({ facts }) => {
    const underWayMs = facts.startedAtMs === null || facts.endedAs !== null ? 0 : endedAtMs - facts.startedAtMs;
    return facts.busyMs + Math.max(0, underWayMs);
  });
  return sum(workMs) / (lastMs - firstMs);
}

function botsNeededIn(
  orders: readonly SentOrder[],
  { waitMs, serviceMs: toldMs }: DayReportInput,
  measuredMs: number | null,
): DayReport['botsNeeded'] {
  const serviceMs = toldMs ?? measuredMs;
  if (serviceMs === null) return null;
  const needed = botsNeededFor(
    orders.map(({ fileAtMs, lane }) => ({ atMs: fileAtMs, lane })),
    serviceMs,
    waitMs,
  );
  return needed && { ...needed, waitMs, serviceMs, isServiceMeasured: toldMs === undefined };
}

function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

export function countByLane(orders: readonly { lane: Lane }[]): Record<Lane, number> {
  const counts: Record<Lane, number> = { vip: 0, normal: 0 };
  for (const lane of lanes) counts[lane] = orders.filter((order) => order.lane === lane).length;
  return counts;
}
