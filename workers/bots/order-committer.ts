import { setTimeout as delay } from 'node:timers/promises';
import { isConflict, isConnectionFault, isRowFault } from '../../src/db/fault.ts';
import {
  commitProgress,
  findProgress,
  type OrderCompletion,
  type OrderProgress,
  type OrderStart,
} from '../../src/db/order-progress.ts';
import { type AttemptKey, giveBackAttempts, type ReturnReason } from '../../src/db/order-returns.ts';
import type { Database } from '../../src/db/pool.ts';
import type { Logger } from '../../src/log.ts';
import { GroupCommit } from '../../src/operations/group-commit.ts';

interface Return extends AttemptKey {
  reason: ReturnReason;
}

type Move = { kind: 'start'; start: OrderStart } | { kind: 'complete'; completion: OrderCompletion };

export interface OrderCommitterDeps {
  database: Database;
  announce(): void;
  log: Logger;
}

const againMs = 200;

/** Commits the starts and completions of all bots of this process together. There is one per host. */
export class OrderCommitter {
  readonly #deps: OrderCommitterDeps;
  readonly #group: GroupCommit<Move, number | null>;
  readonly #returns: GroupCommit<Return, boolean>;
  #isClosing = false;

  constructor(deps: OrderCommitterDeps) {
    this.#deps = deps;
    this.#group = new GroupCommit({
      write: (moves) => this.#write(moves),
      maxBatch: 500,
      keyOf: (move) => String(move.kind === 'start' ? move.start.orderNumber : move.completion.orderNumber),
      isItemFault: isRowFault,
    });
    this.#returns = new GroupCommit({
      write: (returns) => this.#giveBack(returns),
      maxBatch: 500,
      isItemFault: isRowFault,
    });
  }

  /** The number of the attempt that began, or null when the order was not pending under this job. */
  start(start: OrderStart): Promise<number | null> {
    return this.#group.submit({ kind: 'start', start });
  }

  /** False when the fence is closed: the attempt is not the current one any more. */
  async complete(completion: OrderCompletion): Promise<boolean> {
    return (await this.#group.submit({ kind: 'complete', completion })) !== null;
  }

  /** False when the attempt is not the current one any more. Bots that let go together do it in one statement. */
  giveBack(attempt: AttemptKey, reason: ReturnReason): Promise<boolean> {
    return this.#returns.submit({ ...attempt, reason });
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#returns.settle();
    await this.#group.settle();
  }

  async #giveBack(returns: Return[]): Promise<boolean[]> {
    const returned = new Set<number>();
    for (const [reason, attempts] of Map.groupBy(returns, (one) => one.reason)) {
      const orders = await giveBackAttempts(this.#deps.database.pool, attempts ?? [], reason);
      for (const { orderNumber } of orders) returned.add(orderNumber);
    }
    if (returned.size > 0) this.#deps.announce();
    return returns.map(({ orderNumber }) => returned.has(orderNumber));
  }

  /** Waits out a database that is away: what is in the hands of the bots stays theirs as long as the fence says so. */
  async #write(moves: Move[]): Promise<(number | null)[]> {
    const { database, log } = this.#deps;
    const starts = moves.flatMap((move) => (move.kind === 'start' ? [move.start] : []));
    const completions = moves.flatMap((move) => (move.kind === 'complete' ? [move.completion] : []));
    for (let isRetry = false; ; isRetry = true) {
      try {
        const known: OrderProgress = isRetry
          ? await findProgress(database.writer, starts, completions)
          : { started: new Map(), completed: new Map() };
        const fresh = await commitProgress(
          database.writer,
          starts.filter((start) => !known.started.has(start.orderNumber)),
          completions.filter((completion) => !known.completed.has(completion.orderNumber)),
        );
        if (fresh.started.size + fresh.completed.size > 0) this.#deps.announce();
        return moves.map((move) =>
          move.kind === 'start'
            ? (fresh.started.get(move.start.orderNumber) ?? known.started.get(move.start.orderNumber) ?? null)
            : (fresh.completed.get(move.completion.orderNumber) ??
              known.completed.get(move.completion.orderNumber) ??
              null),
        );
      } catch (error) {
        if (this.#isClosing || !(isConnectionFault(error) || isConflict(error))) throw error;
        log.warn(
          { error: (error as Error).message, moves: moves.length },
          'commit of starts and completions interrupted, trying again',
        );
        await delay(againMs);
      }
    }
  }
}
