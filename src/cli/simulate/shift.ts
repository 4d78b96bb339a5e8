import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { z } from 'zod';
import type { BotCounts } from '../../domain/board.ts';
import { botSchema } from '../../domain/bot.ts';
import type { Lane } from '../../domain/lane.ts';
import { orderSchema } from '../../domain/order.ts';
import { askFor, pause, type Server } from '../api-client.ts';
import { type BoardChange, followBoard } from '../board-feed.ts';
import { CliError, InterruptedError } from '../failures.ts';
import { accounts } from '../program-options.ts';
import type { ShiftLog } from './shift-log.ts';
import type { ShiftRecord } from './shift-record.ts';

const orderAnswer = z.object({ order: orderSchema });
const botAnswer = z.object({ bot: botSchema });
const removalAnswer = z.object({ bot: botSchema, returnedOrderNumber: z.int().nullable() });

/** One shift on a running engine: does things over HTTP, sees what they lead to on the live stream. */
export class Shift {
  readonly record: ShiftRecord = { placed: [], moves: [], returned: null };
  bots: BotCounts = { total: 0, idle: 0, processing: 0 };
  readonly #server: Server;
  readonly #log: ShiftLog;
  readonly #deadline: AbortSignal;
  readonly #end = new AbortController();
  readonly #seen = new EventEmitter<{ change: [] }>();
  #listening: Promise<void> = Promise.resolve();
  #failure: unknown;
  /** What is being done just now: its own line comes first, whatever the stream is quick enough to tell. */
  #doing: Promise<unknown> = Promise.resolve();

  constructor(server: Server, log: ShiftLog, patienceMs: number) {
    this.#server = server;
    this.#log = log;
    this.#deadline = AbortSignal.timeout(patienceMs);
  }

  async begin(): Promise<void> {
    const begun = once(this.#seen, 'change');
    this.#listening = this.#listen();
    await begun;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async place(lane: Lane): Promise<void> {
    await this.#do(async () => {
      const { value } = await askFor(
        { ...this.#server, user: accounts[lane] },
        {
          method: 'POST',
          path: '/v1/orders',
          idempotencyKey: randomUUID(),
          body: { items: [{ sku: 'espresso', quantity: 1 }], payment: { method: 'counter' } },
        },
        orderAnswer,
      );
      this.record.placed.push({ number: value.order.number, lane: value.order.lane });
    });
    await this.until(`order ${this.record.placed.at(-1)?.number} on the board`, () =>
      this.#isOnBoard(this.record.placed.at(-1)?.number),
    );
  }

  async addBot(): Promise<void> {
    await this.#do(async () => {
      const { value } = await askFor(this.#server, { method: 'POST', path: '/v1/bots' }, botAnswer);
      this.#log.write(`bot ${value.bot.number} created`);
    });
  }

  async removeNewestBot(): Promise<void> {
    await this.#do(async () => {
      const { value } = await askFor(this.#server, { method: 'DELETE', path: '/v1/bots/newest' }, removalAnswer);
      const { number } = value.bot;
      if (value.returnedOrderNumber === null) this.#log.write(`bot ${number} destroyed while IDLE`);
      else {
        this.record.returned = { orderNumber: value.returnedOrderNumber, botNumber: number };
        this.#log.write(`bot ${number} destroyed while doing order ${value.returnedOrderNumber}`);
      }
    });
  }

  /** Waits on the stream until something is so. */
  async until(what: string, isSo: () => boolean): Promise<void> {
    const { signal } = this.#server;
    while (!isSo()) {
      if (this.#failure !== undefined) throw this.#failure;
      try {
        await once(this.#seen, 'change', { signal: AbortSignal.any([signal, this.#deadline]) });
      } catch {
        if (signal.aborted) throw new InterruptedError();
        throw new CliError(`the shift waited in vain for this: ${what}`);
      }
    }
  }

  /** A wait that is part of the story. */
  async letPass(durationMs: number): Promise<void> {
    if (durationMs > 0) await pause(durationMs, this.#server.signal);
  }

  statusOf(orderNumber: number): string | undefined {
    return this.record.moves.findLast(({ number }) => number === orderNumber)?.to;
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#listening;
  }

  #isOnBoard(orderNumber: number | undefined): boolean {
    return this.record.moves.some(({ number }) => number === orderNumber);
  }

  async #do(action: () => Promise<void>): Promise<void> {
    const doing = action();
    this.#doing = doing.catch(() => undefined); // whoever asked for it gets the failure
    await doing;
  }

  async #listen(): Promise<void> {
    try {
      const server = { ...this.#server, signal: AbortSignal.any([this.#server.signal, this.#end.signal]) };
      for await (const change of followBoard(server)) {
        await this.#doing;
        this.#take(change);
      }
    } catch (error) {
      this.#failure = error;
    }
    this.#seen.emit('change');
  }

  #take(change: BoardChange): void {
    if (change.kind === 'order') {
      this.record.moves.push(change.move);
      this.#log.writeMove(change.move);
    } else {
      this.bots = change.kind === 'bots' ? change.bots : change.board.bots;
    }
    this.#seen.emit('change');
  }
}
