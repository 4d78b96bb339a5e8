import type { QueueStore } from '../../queues/backend.ts';
import type { Logger } from '../log.ts';

const patienceMs = 2_000;

/**
 * A process starts without its Redis, and waits for it: nobody would see that the address is wrong. Says so once, with the
 * reason, and when the store is there.
 */
export class QueueStoreNotice {
  readonly #redisUrl: string | null;
  readonly #log: Logger;
  #reason: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #hasBegun = false;

  constructor(redisUrl: string | null, log: Logger) {
    this.#redisUrl = redisUrl;
    this.#log = log;
  }

  onError = (error: Error & { code?: string }): void => {
    this.#reason = error.message || error.code; // a name with several addresses fails without a message
    this.#log.debug({ error: this.#reason }, 'queue store connection');
  };

  /** The first of a process's stores speaks for all. */
  follow(store: Pick<QueueStore, 'ping'>): void {
    if (this.#redisUrl === null || this.#hasBegun) return;
    this.#hasBegun = true;
    const { host, pathname } = new URL(this.#redisUrl);
    const binding = { redis: `${host}${pathname}` };
    let hasWarned = false;
    this.#timer = setTimeout(() => {
      hasWarned = true;
      this.#log.warn({ ...binding, reason: this.#reason }, 'queue store not reached, waiting for it; check REDIS_URL');
    }, patienceMs);
    store.ping().then(
      () => {
        this.close();
        if (hasWarned) this.#log.info(binding, 'queue store reached');
      },
      (error: Error) => this.onError(error), // it was there, and is away again: those who use it say so
    );
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
