import { z } from 'zod';
import { orderSchema } from '../../domain/order.ts';
import { askFor, type Server } from '../api-client.ts';
import { durationText } from '../duration.ts';
import { botsNeededFor } from './bots-needed.ts';
import type { SentOrder } from './day-report.ts';
import type { OrderWatch } from './order-watch.ts';
import type { TillOrder } from './till-orders.ts';

const ordersAnswer = z.object({ orders: z.array(orderSchema) });
const sampledOrders = 5; // the newest: bots may have been made faster since
const ownOrders = 3;

/** What an order takes a bot, in real time, by what was done here lately; null when nothing was. */
export async function readServiceTime(server: Server): Promise<ServiceTime | null> {
  const query = { status: 'complete', limit: String(sampledOrders) };
  const { value } = await askFor(server, { method: 'GET', path: '/v1/orders', query }, ordersAnswer);
  const tookMs = value.orders.flatMap(({ startedAt, completedAt }) =>
    startedAt === null || completedAt === null ? [] : [Date.parse(completedAt) - Date.parse(startedAt)],
  );
  const ms = meanOf(tookMs);
  return ms === null
    ? null
    : { ms, source: `as the last ${tookMs.length === 1 ? 'one' : tookMs.length} done here did` };
}

/** The same, measured on this day's own orders. */
export function measuredServiceMs(sent: readonly SentOrder[], watch: OrderWatch): number | null {
  return meanOf(endedBusyMs(sent, watch));
}

function endedBusyMs(sent: readonly SentOrder[], watch: OrderWatch): number[] {
  return sent.flatMap(({ alreadySent, number }) => {
    const { endedAs, busyMs } = watch.factsOf(number);
    return endedAs === 'complete' && !alreadySent ? [busyMs] : [];
  });
}

export interface DayAhead {
  orders: readonly TillOrder[];
  speed: number;
  /** In the file's time. */
  waitMs: number;
  service: ServiceTime;
  bots: number;
}

/** What an order takes a bot, in real time, and how that is known. */
export interface ServiceTime {
  ms: number;
  source: string;
}

/** Says how many bots this day needs at this speed, when there are fewer. */
export function shortageText({ orders, speed, waitMs, service, bots }: DayAhead): string | undefined {
  const arrivals = orders.map(({ placedAt, lane }) => ({ atMs: placedAt.atMs, lane }));
  const needed = botsNeededFor(arrivals, service.ms * speed, waitMs);
  const [first, last] = [arrivals[0], arrivals.at(-1)];
  if (needed === null || needed.bots <= bots || first === undefined || last === undefined) return undefined;
  const there = bots === 1 ? 'there is 1' : `there are ${bots}`;
  const sendingMs = (last.atMs - first.atMs) / speed;
  const longestMs = Math.max(sendingMs, (orders.length * service.ms) / bots) + service.ms;
  const until = bots === 0 ? '' : ` (all done in about ${durationText(longestMs)})`;
  // a narrow terminal cuts off the end
  return (
    `at this speed about ${needed.bots} bots are needed, ${there}${until}: ` +
    `so many keep waits within ${durationText(waitMs)} of file time when an order takes a bot ${durationText(service.ms)}, ${service.source}`
  );
}

/** That sentence as the day goes: from the first order that is really sent, anew whenever the number of bots changes, or this day's own orders tell. */
export class Shortage {
  readonly #day: Pick<DayAhead, 'orders' | 'speed' | 'waitMs'>;
  /** Null until something has told. */
  #service: ServiceTime | null;
  #isMeasured = false;
  #said: { bots: number; text: string | undefined } | undefined;

  constructor(day: Pick<DayAhead, 'orders' | 'speed' | 'waitMs'>, service: ServiceTime | null) {
    this.#day = day;
    this.#service = service;
  }

  textNow(sent: readonly SentOrder[], watch: OrderWatch): string | undefined {
    const first = sent.find(({ alreadySent }) => !alreadySent);
    if (first === undefined) return undefined; // an earlier replay has sent it all, perhaps
    if (!this.#isMeasured) this.#measure(sent, watch);
    if (this.#service === null) return undefined;
    const bots = watch.bots.total;
    if (this.#said?.bots !== bots) {
      const orders = this.#day.orders.filter(({ placedAt }) => placedAt.atMs >= first.fileAtMs);
      this.#said = { bots, text: shortageText({ ...this.#day, orders, service: this.#service, bots }) };
    }
    return this.#said.text;
  }

  #measure(sent: readonly SentOrder[], watch: OrderWatch): void {
    const ownMs = endedBusyMs(sent, watch);
    const ms = meanOf(ownMs);
    this.#isMeasured = ownMs.length >= ownOrders;
    if (ms === null || !(this.#isMeasured || this.#service === null)) return; // one alone is better than nothing
    this.#service = { ms, source: 'as the first ones of this day did' };
    this.#said = undefined;
  }
}

/** How long those bots need for what was sent and is not done: roughly, as if it were spread evenly. */
export function timeLeftMs(sent: readonly SentOrder[], watch: OrderWatch): number | null {
  const serviceMs = measuredServiceMs(sent, watch);
  if (serviceMs === null || watch.bots.total === 0) return null;
  let workMs = 0;
  for (const { alreadySent, number } of sent) {
    const { startedAtMs, endedAs } = watch.factsOf(number);
    if (!alreadySent && endedAs === null) workMs += startedAtMs === null ? serviceMs : serviceMs / 2;
  }
  return workMs / watch.bots.total;
}

function meanOf(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  let total = 0;
  for (const value of values) total += value;
  return total / values.length;
}
