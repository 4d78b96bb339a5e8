import { setTimeout as delay } from 'node:timers/promises';
import { ServiceUnavailableError } from '../../domain/errors.ts';

/**
 * Goes one round after another, never two at once, with a breath in between. Each round says when the next is due by itself;
 * whoever asks for one gets a round that begins after the call, and shares it with everybody who asked meanwhile.
 */
export class Rounds {
  readonly #go: () => Promise<number>;
  readonly #gapMs: number;
  readonly #retryMs: number;
  #current: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #endedAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor({ go, gapMs, retryMs }: { go: () => Promise<number>; gapMs: number; retryMs: number }) {
    this.#go = go;
    this.#gapMs = gapMs;
    this.#retryMs = retryMs;
  }

  /** Rejects as the round does. */
  ask(): Promise<void> {
    this.#next ??= (async () => {
      await this.#current.catch(() => undefined); // told to those who asked for that one
      const gapMs = this.#endedAt + this.#gapMs - performance.now();
      if (gapMs > 0) await delay(gapMs);
      this.#next = undefined;
      this.#current = this.#run();
      await this.#current;
    })();
    return this.#next;
  }

  /** For nobody in particular: a round that fails is tried again in time. */
  poke(): void {
    if (!this.#isClosed) this.ask().catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await Promise.allSettled([this.#next, this.#current]);
  }

  async #run(): Promise<void> {
    if (this.#isClosed) throw new ServiceUnavailableError('The board');
    clearTimeout(this.#timer);
    let nextInMs = this.#retryMs;
    try {
      nextInMs = await this.#go();
    } finally {
      this.#endedAt = performance.now();
      if (!this.#isClosed) this.#timer = setTimeout(() => this.poke(), nextInMs).unref();
    }
  }
}
