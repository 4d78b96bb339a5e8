import { setTimeout as delay } from 'node:timers/promises';
import type { OrderStatus } from '../../src/domain/order-status.ts';
import type { PaymentStatus } from '../../src/domain/payment.ts';
import type { TestDatabase } from '../support/database.ts';

export interface OrderState {
  number: number;
  status: OrderStatus;
  paymentStatus: PaymentStatus | null;
  checkoutUrl: string | null;
}

export const isOver = ({ status }: OrderState) => status === 'complete' || status === 'cancelled';

/** Where all orders are, by their idempotency keys: read for everybody at once, so that many customers cost one query. */
export class OrderWatch {
  readonly #database: TestDatabase;
  readonly #states = new Map<string, OrderState>();
  readonly #everyMs: number;
  #isClosed = false;
  #rounds: Promise<void> = Promise.resolve();

  constructor(database: TestDatabase, everyMs: number) {
    this.#database = database;
    this.#everyMs = everyMs;
  }

  start(): void {
    this.#rounds = this.#run();
  }

  get states(): readonly OrderState[] {
    return [...this.#states.values()];
  }

  /** Undefined when it was not so within that time. */
  async until(key: string, isSo: (state: OrderState) => boolean, withinMs: number): Promise<OrderState | undefined> {
    const giveUpAt = Date.now() + withinMs;
    while (Date.now() < giveUpAt && !this.#isClosed) {
      const state = this.#states.get(key);
      if (state && isSo(state)) return state;
      await delay(this.#everyMs);
    }
    return undefined;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#rounds;
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      await this.#read();
      await delay(this.#everyMs);
    }
  }

  async #read(): Promise<void> {
    const rows = await this.#database.query<OrderState & { key: string }>(
      `SELECT o.idempotency_key AS key, o.number::int AS number, o.status, p.status AS "paymentStatus", p.checkout_url AS "checkoutUrl"
       FROM orders o LEFT JOIN payments p ON p.id = o.id`,
    );
    for (const { key, ...state } of rows) this.#states.set(key, state);
  }
}
