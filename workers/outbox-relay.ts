import type { QueueStore } from '../queues/backend.ts';
import type { Database } from '../src/db/pool.ts';
import type { Logger } from '../src/log.ts';
import { rebuildLostQueues } from '../src/operations/rebuild-queues.ts';
import { relayOutbox } from '../src/operations/relay-outbox.ts';
import { type SweepPosition, sweepLostJobs } from '../src/operations/sweep-lost-jobs.ts';

export interface OutboxRelayDeps {
  database: Database;
  store: QueueStore;
  log: Logger;
}

const relayEveryMs = 250;
const watchEveryMs = 1_000;
const sweepEveryMs = 15_000;

/** Keeps the queues what the database says they should be: hands over what was left behind, and refills a store that was lost. */
export class OutboxRelay {
  readonly #deps: OutboxRelayDeps;
  readonly #sweepPosition: SweepPosition = { vip: 0, normal: 0 };
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #running = new Set<Promise<void>>();
  #isClosing = false;

  constructor(deps: OutboxRelayDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#every(relayEveryMs, 'outbox not relayed', () => relayOutbox(this.#deps));
    this.#every(watchEveryMs, 'queue store not checked', () => rebuildLostQueues(this.#deps));
    this.#every(sweepEveryMs, 'lanes not swept', () => sweepLostJobs(this.#deps, this.#sweepPosition));
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#running);
  }

  /** One run at a time; a fault is said once until it is over. */
  #every(ms: number, failure: string, work: () => Promise<unknown>): void {
    let isRunning = false;
    let isFailing = false;
    const run = async () => {
      if (isRunning || this.#isClosing) return;
      isRunning = true;
      try {
        await work();
        isFailing = false;
      } catch (error) {
        if (!isFailing) this.#deps.log.warn({ error: (error as Error).message }, failure);
        isFailing = true;
      } finally {
        isRunning = false;
      }
    };
    const track = () => {
      const running = run().finally(() => this.#running.delete(running));
      this.#running.add(running);
    };
    track();
    this.#timers.push(setInterval(track, ms));
  }
}
