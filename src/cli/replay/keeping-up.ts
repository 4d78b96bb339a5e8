import { z } from 'zod';
import { orderSchema } from '../../domain/order.ts';
import { askFor, type Server } from '../api-client.ts';
import { durationText } from '../duration.ts';
import { botsNeededFor } from './bots-needed.ts';
import type { SentOrder } from './day-report.ts';
import type { OrderWatch } from './order-watch.ts';
import type { TillOrder } from './till-orders.ts';

const ordersAnswer = z.object({ orders: z.array(orderSchema) });
const sampledOrders = 20;

/** What an order takes a bot, in real time, by what was done here lately; null when nothing was. */
export async function readServiceMs(server: Server): Promise<number | null> {
  const query = { status: 'complete', limit: String(sampledOrders) };
  const { value } = await askFor(server, { method: 'GET', path: '/v1/orders', query }, ordersAnswer);
  return meanOf(
    value.orders.flatMap(({ startedAt, completedAt }) =>
      startedAt === null || completedAt === null ? [] : [Date.parse(completedAt) - Date.parse(startedAt)],
    ),
  );
}

/** The same, measured on this day's own orders. */
export function measuredServiceMs(sent: readonly SentOrder[], watch: OrderWatch): number | null {
  return meanOf(
    sent.flatMap(({ alreadySent, number }) => {
      const { endedAs, busyMs } = watch.factsOf(number);
      return endedAs === 'complete' && !alreadySent ? [busyMs] : [];
    }),
  );
}

export interface DayAhead {
  orders: readonly TillOrder[];
  speed: number;
  /** In the file's time. */
  waitMs: number;
  /** In real time. */
  serviceMs: number;
  bots: number;
}

/** Says how many bots this day needs at this speed, when there are fewer. */
export function shortageText({ orders, speed, waitMs, serviceMs, bots }: DayAhead): string | undefined {
  const arrivals = orders.map(({ placedAt, lane }) => ({ atMs: placedAt.atMs, lane }));
  const needed = botsNeededFor(arrivals, serviceMs * speed, waitMs);
  const [first, last] = [arrivals[0], arrivals.at(-1)];
  if (needed === null || needed.bots <= bots || first === undefined || last === undefined) return undefined;
  const there = bots === 1 ? 'there is 1' : `there are ${bots}`;
  const sendingMs = (last.atMs - first.atMs) / speed;
  const longestMs = Math.max(sendingMs, (orders.length * serviceMs) / bots) + serviceMs;
  const until = bots === 0 ? '' : ` (all done in about ${durationText(longestMs)})`;
  // a narrow terminal cuts off the end
  return (
    `at this speed about ${needed.bots} bots are needed, ${there}${until}: ` +
    `so many keep waits within ${durationText(waitMs)} of file time when an order takes a bot ${durationText(serviceMs)}`
  );
}

/** That sentence as the day goes: from the first order that is really sent, anew whenever the number of bots changes. */
export class Shortage {
  readonly #day: Pick<DayAhead, 'orders' | 'speed' | 'waitMs'>;
  /** Null until something has told; then this day's own orders tell. */
  #serviceMs: number | null;
  #said: { bots: number; text: string | undefined } | undefined;

  constructor(day: Pick<DayAhead, 'orders' | 'speed' | 'waitMs'>, serviceMs: number | null) {
    this.#day = day;
    this.#serviceMs = serviceMs;
  }

  textNow(sent: readonly SentOrder[], watch: OrderWatch): string | undefined {
    const first = sent.find(({ alreadySent }) => !alreadySent);
    if (first === undefined) return undefined; // an earlier replay has sent it all, perhaps
    this.#serviceMs ??= measuredServiceMs(sent, watch);
    if (this.#serviceMs === null) return undefined;
    const bots = watch.bots.total;
    if (this.#said?.bots !== bots) {
      const orders = this.#day.orders.filter(({ placedAt }) => placedAt.atMs >= first.fileAtMs);
      this.#said = { bots, text: shortageText({ ...this.#day, orders, serviceMs: this.#serviceMs, bots }) };
    }
    return this.#said.text;
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
