import { z } from 'zod';
import { orderSchema } from '../../domain/order.ts';
import { type ApiRequest, askFor, pause, type Server } from '../api-client.ts';
import { RefusedError } from '../problem.ts';
import type { SentOrder } from './day-report.ts';
import { factsFrom, factsWithout } from './order-facts.ts';
import type { Pace } from './pace.ts';
import { replayKey } from './replay-key.ts';
import type { TillOrder } from './till-orders.ts';

export interface RefusedOrder {
  orderRef: string;
  lines: number[];
  code: string;
  reason: string;
}

export interface DayOfOrders {
  orders: readonly TillOrder[];
  fileHash: string;
  again?: string | undefined;
  pace: Pace;
}

/** What has become of the day so far; filled as it goes, so that a report can be made at any moment. */
export interface SentDay {
  sent: SentOrder[];
  refused: RefusedOrder[];
  /** How far behind its pace the sending was at worst, in real time. */
  latestMs: number;
}

const orderAnswer = z.object({ order: orderSchema });
const longestPauseMs = 3_600_000; // a timer cannot be set for more than 24 days

/** One after the other: only so does the server take them in the order of the file. */
export async function sendDay(
  server: Server,
  { orders, fileHash, again, pace }: DayOfOrders,
  day: SentDay,
): Promise<void> {
  let jump = false;
  for (const order of orders) {
    if (jump) pace.jumpTo(order.placedAt.atMs, Date.now());
    for (let dueInMs = pace.dueInMs(order.placedAt.atMs, Date.now()); dueInMs > 0; ) {
      await pause(Math.min(dueInMs, longestPauseMs), server.signal);
      dueInMs = pace.dueInMs(order.placedAt.atMs, Date.now());
    }
    day.latestMs = Math.max(day.latestMs, -pace.dueInMs(order.placedAt.atMs, Date.now()));
    jump = await sendOrder(server, order, replayKey(fileHash, order.orderRef, again), day);
  }
}

/** True when the server had this order from an earlier replay. */
async function sendOrder(server: Server, order: TillOrder, idempotencyKey: string, day: SentDay): Promise<boolean> {
  try {
    const { value, answer } = await askFor(server, requestFor(order, idempotencyKey), orderAnswer);
    const alreadySent = answer.headers.get('idempotent-replayed') === 'true' && !answer.wasLostBefore;
    day.sent.push({
      number: value.order.number,
      lane: value.order.lane,
      fileAtMs: order.placedAt.atMs,
      placedAtMs: Date.parse(value.order.placedAt),
      alreadySent,
      facts: factsFrom(value.order, factsWithout()),
    });
    return alreadySent;
  } catch (error) {
    if (!(error instanceof RefusedError) || concernsEveryOrder(error)) throw error;
    day.refused.push({
      orderRef: order.orderRef,
      lines: order.lines,
      code: error.code,
      reason: error.detail ?? error.message,
    });
    return false;
  }
}

function requestFor(order: TillOrder, idempotencyKey: string): ApiRequest {
  return {
    method: 'POST',
    path: '/v1/orders',
    idempotencyKey,
    body: {
      items: order.items,
      payment: { method: 'counter' },
      lane: order.lane,
      ...(order.customer === null ? {} : { customerName: order.customer }),
    },
    whenLost: 'start the same replay again: what was sent is not sent twice',
  };
}

/** Signed in as nobody, not a manager, not this API: the next order would be refused alike. */
function concernsEveryOrder({ status }: RefusedError): boolean {
  return status === 401 || status === 403 || status === 404 || status === 405;
}
