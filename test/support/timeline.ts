import { expect } from 'vitest';
import type { Lane } from '../../src/domain/lane.ts';
import type { OrderStatus } from '../../src/domain/order-status.ts';
import type { TestDatabase } from './database.ts';

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

export const typesOf = (order: TimelineOrder) => order.events.map(({ type }) => type);

export interface Overtaking {
  overtaken: number;
  by: number;
  /** How long the overtaken order had been waiting, and how long it went on waiting. */
  waitedMs: number;
  waitedOnMs: number;
}

/**
 * The starts that passed over an order with a better claim: a VIP order before a normal one, the smaller due_seq within a lane.
 * The database sees an order placed before its job is in the lane, and a start after the job was claimed; bots claim side by
 * side. So an order counts as waiting only from `windowMs` after it became pending until `windowMs` before its own start.
 */
export function findOvertakings(orders: readonly TimelineOrder[], windowMs: number): Overtaking[] {
  const waits = orders.flatMap((order) =>
    order.events.flatMap((event, index) => {
      const next = order.events[index + 1];
      const isWait = ['placed', 'given_back', 'retried'].includes(event.type) && next?.type === 'started';
      return isWait ? [{ order, from: event.at, to: next.at }] : [];
    }),
  );
  return waits.flatMap(({ order: starting, to: at }) =>
    waits
      .filter(({ order, from, to }) => goesBefore(order, starting) && from + windowMs <= at && to > at + windowMs)
      .map(({ order, from, to }) => ({
        overtaken: order.number,
        by: starting.number,
        waitedMs: Math.round(at - from),
        waitedOnMs: Math.round(to - at),
      })),
  );
}

function goesBefore(order: TimelineOrder, other: TimelineOrder): boolean {
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
