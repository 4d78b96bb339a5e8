import { expect } from 'vitest';
import type { Lane } from '../../src/domain/lane.ts';
import type { OrderStatus } from '../../src/domain/order-status.ts';
import type { TestDatabase } from './database.ts';
import { until } from './until.ts';

export interface TimelineEvent {
  type: string;
  /** Milliseconds since the epoch, by the clock of Postgres. */
  at: number;
  attempt: number;
  reason: string | null;
}

export interface TimelineOrder {
  number: number;
  lane: Lane;
  dueSeq: number;
  status: OrderStatus;
  attempt: number;
  failureCount: number;
  failureReason: string | null;
  events: TimelineEvent[];
}

/** What the database knows of every order, oldest first. */
export async function readTimeline(database: TestDatabase): Promise<TimelineOrder[]> {
  return database.query<TimelineOrder>(`
    SELECT o.number::int AS number, o.lane, o.due_seq::int AS "dueSeq", o.status, o.attempt, o.failure_count AS "failureCount",
      o.failure_reason AS "failureReason",
      (SELECT json_agg(json_build_object('type', e.type, 'at', extract(epoch FROM e.at) * 1000, 'attempt', e.attempt, 'reason', e.detail->>'reason') ORDER BY e.id)
       FROM order_events e WHERE e.order_number = o.number) AS events
    FROM orders o ORDER BY o.number`);
}

/** Waits until there is no order that is not complete. */
export async function untilAllComplete(database: TestDatabase, timeoutMs = 60_000): Promise<void> {
  const findOpen = () => database.query("SELECT FROM orders WHERE status <> 'complete' LIMIT 1");
  await until('all orders complete', async () => (await findOpen()).length === 0, timeoutMs);
}

/** Waits until the lanes hold every job that was due so far. */
export async function untilHandedOver(database: TestDatabase): Promise<void> {
  await until('outbox empty', async () => (await database.query('SELECT FROM outbox LIMIT 1')).length === 0);
}

export const typesOf = (order: TimelineOrder) => order.events.map(({ type }) => type);

/** A stretch of time in which an order waited, until it was taken. */
export interface Wait {
  number: number;
  lane: Lane;
  dueSeq: number;
  from: number;
  to: number;
}

export interface Overtaking {
  overtaken: number;
  by: number;
  /** How long the overtaken order had been waiting, and how long it went on waiting. */
  waitedMs: number;
  waitedOnMs: number;
}

/** From the row that made an order pending to the row of its start: a little wider on both sides than its time in the lane. */
export function waitsInDatabase(orders: readonly TimelineOrder[]): Wait[] {
  return orders.flatMap(({ number, lane, dueSeq, events }) =>
    events.flatMap((event, index) => {
      const next = events[index + 1];
      const isWait = ['placed', 'given_back', 'retried'].includes(event.type) && next?.type === 'started';
      return isWait ? [{ number, lane, dueSeq, from: event.at, to: next.at }] : [];
    }),
  );
}

/**
 * The takings that passed over an order with a better claim: a VIP order before a normal one, the smaller due_seq within a lane.
 * Bots take side by side, and a look at two lanes is not one moment: an order counts as passed over only when it had been waiting
 * for `windowMs` and went on waiting for `windowMs`.
 */
export function findOvertakings(waits: readonly Wait[], windowMs: number): Overtaking[] {
  return waits.flatMap((taken) =>
    waits
      .filter((other) => goesBefore(other, taken) && other.from + windowMs < taken.to && other.to > taken.to + windowMs)
      .map(({ number, from, to }) => ({
        overtaken: number,
        by: taken.number,
        waitedMs: Math.round(taken.to - from),
        waitedOnMs: Math.round(to - taken.to),
      })),
  );
}

/** The window at which a list of overtakings would be empty, in milliseconds. */
export const widestOf = (overtakings: readonly Overtaking[]) =>
  Math.max(0, ...overtakings.map((one) => Math.min(one.waitedMs, one.waitedOnMs)));

function goesBefore(order: Wait, other: Wait): boolean {
  if (order.lane !== other.lane) return order.lane === 'vip';
  return order.dueSeq < other.dueSeq;
}

/** Every order is complete, was completed once, and each of its attempts but the last was given back or failed before the next began. */
export function expectEachCompletedOnce(orders: readonly TimelineOrder[]): void {
  for (const order of orders) {
    const story = `order ${order.number}: ${typesOf(order).join(' ')}`;
    expect(order.status, story).toBe('complete');
    expect(typesOf(order).join(' '), story).toMatch(
      /^placed( started (given_back|retry_scheduled))* started completed$/,
    );
    expect(
      order.events.filter(({ type }) => type === 'started').map(({ attempt }) => attempt),
      story,
    ).toEqual(Array.from({ length: order.attempt }, (_, index) => index + 1));
    expect(order.events.at(-1)?.attempt, story).toBe(order.attempt);
  }
}
