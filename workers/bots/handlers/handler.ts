import type { Lane } from '../../../src/domain/lane.ts';

/** What a handler is told of an order. */
export interface HandlerOrder {
  number: number;
  lane: Lane;
  /** Counts the starts of this order: a name for this try, so that a repeat can be recognised. */
  attempt: number;
  items: { sku: string; name: string; quantity: number }[];
  note: string | null;
  customerName: string | null;
}

export interface HandlerContext {
  /** Aborted when the bot is removed, the order is cancelled, or the process stops: let go at once. */
  signal: AbortSignal;
  botNumber: number;
  /** How far the order is, from 0 to 1; shown on the board. */
  reportProgress(fraction: number): void;
}

/**
 * What a bot does with an order. `run` resolves when the order is done. It may run twice for the same order: after a crash the
 * order is started again with the next attempt. Throw to have it tried again after a backoff; throw an error whose `retryable` is
 * false to have the order fail for good.
 */
export interface Handler {
  /** How long an order takes, in milliseconds; null when it cannot say. */
  expectedMs: number | null;
  /** Whether it needs the order's items: the facts of the order are read from the database only then. */
  needsOrder: boolean;
  run(order: HandlerOrder, context: HandlerContext): Promise<void>;
}

/** The order can never be done: it fails without another try. */
export class OrderRefusedError extends Error {
  readonly retryable = false;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'OrderRefusedError';
  }
}

export const isRetryable = (error: unknown) => (error as { retryable?: boolean } | null)?.retryable !== false;
