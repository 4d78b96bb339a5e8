import { EventEmitter, once } from 'node:events';
import type { Board, BotCounts } from '../../domain/board.ts';
import type { Server } from '../api-client.ts';
import { type BoardChange, followBoard } from '../board-feed.ts';
import { afterMove, factsWithout, type OrderFacts } from './order-facts.ts';

/** Listens to the live stream, and keeps what it says of every order. */
export class OrderWatch {
  bots: BotCounts = { total: 0, idle: 0, processing: 0 };
  mostBots = 0;
  /** What the board expects an order in hand to take; null when it has none, or cannot say. */
  expectedMs: number | null = null;
  /** Why the stream is away just now. */
  trouble: string | undefined;
  /** The stream had to begin anew: moves may have been missed, and the orders themselves must be asked. */
  hasGap = false;
  /** The stream was away at some time. */
  hadTrouble = false;
  #facts = new Map<number, OrderFacts>();
  #changes = new EventEmitter<{ change: [] }>();
  #hasBegun = false;
  #failure: unknown;
  #end = new AbortController();

  /** Resolves once the stream flows: what happens from then on is seen. */
  async begin(server: Server): Promise<void> {
    const begun = once(this.#changes, 'change');
    void this.#listen({ ...server, signal: AbortSignal.any([server.signal, this.#end.signal]) });
    await begun;
    if (!this.#hasBegun) throw this.#failure;
  }

  factsOf(orderNumber: number): OrderFacts {
    return this.#facts.get(orderNumber) ?? factsWithout();
  }

  /** Takes what an order itself says, where the stream left something out. */
  correct(orderNumber: number, facts: OrderFacts): void {
    this.#facts.set(orderNumber, facts);
  }

  /** True when something has happened, false when nothing did for that long; throws when the stream has failed for good. */
  async nextChange(quietMs: number, signal: AbortSignal): Promise<boolean> {
    if (this.#failure !== undefined) throw this.#failure;
    const quiet = AbortSignal.timeout(quietMs);
    try {
      await once(this.#changes, 'change', { signal: AbortSignal.any([signal, quiet]) });
    } catch {
      return false; // only an abort rejects here
    }
    if (this.#failure !== undefined) throw this.#failure;
    return true;
  }

  close(): void {
    this.#end.abort();
  }

  async #listen(server: Server): Promise<void> {
    try {
      const onTrouble = (reason: string | undefined) => {
        this.trouble = reason;
        this.hadTrouble = true;
      };
      for await (const change of followBoard(server, { onTrouble })) this.#take(change);
    } catch (error) {
      this.#failure = error;
    }
    this.#changes.emit('change');
  }

  #take(change: BoardChange): void {
    if (change.kind === 'order') {
      const { number } = change.move;
      this.#facts.set(number, afterMove(this.factsOf(number), change.move));
    } else {
      this.bots = change.kind === 'bots' ? change.bots : change.board.bots;
      this.mostBots = Math.max(this.mostBots, this.bots.total);
      if (change.kind === 'snapshot') this.expectedMs = expectedIn(change.board) ?? this.expectedMs;
      if (change.kind === 'snapshot' && this.#hasBegun) this.hasGap = true;
    }
    this.#hasBegun = true;
    this.#changes.emit('change');
  }
}

function expectedIn({ processing }: Board): number | null {
  const known = processing.find(({ expectedAt }) => expectedAt !== null);
  return known?.expectedAt ? Date.parse(known.expectedAt) - Date.parse(known.startedAt) : null;
}
