import type { BoardOrderEvent } from '../../domain/board.ts';
import type { Order } from '../../domain/order.ts';

/** What is known of one order, in the server's own times. */
export interface OrderFacts {
  firstStartedAtMs: number | null;
  /** Of the attempt that is under way or was the last. */
  startedAtMs: number | null;
  endedAtMs: number | null;
  endedAs: Ending | null;
  /** Time in the hands of bots, in attempts that are over. */
  busyMs: number;
}

export type Ending = 'complete' | 'failed' | 'cancelled';

export function factsWithout(): OrderFacts {
  return { firstStartedAtMs: null, startedAtMs: null, endedAtMs: null, endedAs: null, busyMs: 0 };
}

export function afterMove(facts: OrderFacts, { to, at }: BoardOrderEvent): OrderFacts {
  const atMs = Date.parse(at);
  if (to === 'processing') {
    return {
      ...facts,
      firstStartedAtMs: facts.firstStartedAtMs ?? atMs,
      startedAtMs: atMs,
      endedAs: null,
      endedAtMs: null,
    };
  }
  const busyMs = facts.busyMs + (facts.startedAtMs === null || facts.endedAs !== null ? 0 : atMs - facts.startedAtMs);
  if (isEnding(to)) return { ...facts, busyMs, endedAtMs: atMs, endedAs: to };
  return { ...facts, busyMs, startedAtMs: null, endedAtMs: null, endedAs: null }; // waits again
}

/** Fills in what the live stream did not bring, from the order itself. */
export function factsFrom(order: Order, known: OrderFacts): OrderFacts {
  const startedAtMs = timeOf(order.startedAt);
  const endedAs = isEnding(order.status) ? order.status : null;
  const endedAtMs =
    endedAs === null ? null : (timeOf(order.completedAt) ?? timeOf(order.cancelledAt) ?? known.endedAtMs);
  const lastRunMs = startedAtMs !== null && endedAtMs !== null ? Math.max(0, endedAtMs - startedAtMs) : 0;
  return {
    firstStartedAtMs: known.firstStartedAtMs ?? startedAtMs,
    startedAtMs,
    endedAtMs,
    endedAs,
    busyMs: Math.max(known.busyMs, lastRunMs),
  };
}

function isEnding(status: string): status is Ending {
  return status === 'complete' || status === 'failed' || status === 'cancelled';
}

function timeOf(iso: string | null): number | null {
  return iso === null ? null : Date.parse(iso);
}
