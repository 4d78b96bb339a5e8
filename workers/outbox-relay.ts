import type { QueueStore } from '../queues/backend.ts';
import { type Listener, listen } from '../src/db/notify.ts';
import type { Database } from '../src/db/pool.ts';
import { LeaseJudge } from '../src/domain/lease-judge.ts';
import type { Logger } from '../src/log.ts';
import { clearDeadHosts } from '../src/operations/clear-dead-hosts.ts';
import { forgetOldSignIns } from '../src/operations/forget-old-sign-ins.ts';
import { rebuildLostQueues } from '../src/operations/rebuild-queues.ts';
import { relayOutbox } from '../src/operations/relay-outbox.ts';
import { retireRobots } from '../src/operations/retire-robots.ts';
import { type SweepPosition, sweepLostJobs } from '../src/operations/sweep-lost-jobs.ts';

export interface OutboxRelayDeps {
  database: Database;
  store: QueueStore;
  announce(): void;
  maxAttempts: number;
  log: Logger;
}

const relayEveryMs = 250;
const watchEveryMs = 1_000;
const sweepEveryMs = 15_000;
const forgetEveryMs = 3_600_000;
/** A host, where there is one, clears away others at the moment their lease ends: a relay leaves that to it. */
const graceMs = 500;

/**
 * Keeps the queues what the database says they should be: hands over what was left behind, refills a store that was lost, and
 * brings back what dead hosts and robots had in hand, also where there is no bot host to do it. Once an hour it forgets old sign-ins.
 */
export class OutboxRelay {
  readonly #deps: OutboxRelayDeps;
  readonly #judge = new LeaseJudge();
  readonly #sweepPosition: SweepPosition = { vip: 0, normal: 0 };
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #running = new Set<Promise<void>>();
  #listener: Listener | undefined;
  #isClosing = false;

  constructor(deps: OutboxRelayDeps) {
    this.#deps = deps;
  }

  start(): void {
    const relayNow = this.#every(relayEveryMs, 'outbox not relayed', () => relayOutbox(this.#deps));
    this.#listener = listen(this.#deps.database.url, ['twolane_outbox'], relayNow, this.#deps.log);
    this.#every(watchEveryMs, 'queue store not checked', () => rebuildLostQueues(this.#deps));
    this.#every(watchEveryMs, 'dead hosts not cleared away', () => this.#bringBack());
    this.#every(sweepEveryMs, 'lanes not swept', () => sweepLostJobs(this.#deps, this.#sweepPosition));
    this.#every(forgetEveryMs, 'old sign-ins not forgotten', () => forgetOldSignIns(this.#deps.database.pool));
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    for (const timer of this.#timers) clearInterval(timer);
    await this.#listener?.close();
    await Promise.all(this.#running);
  }

  async #bringBack(): Promise<void> {
    const { database, ...deps } = this.#deps;
    await retireRobots({ ...deps, pool: database.pool });
    this.#judge.reached(performance.now()); // that was an answer of Postgres
    await clearDeadHosts({ ...deps, pool: database.pool }, this.#judge, graceMs);
  }

  /** One run at a time; a fault is said once until it is over. What it gives makes a run at once, or one more after that which is under way. */
  #every(ms: number, failure: string, work: () => Promise<unknown>): () => void {
    let isRunning = false;
    let isWanted = false;
    let isFailing = false;
    const run = async () => {
      if (isRunning) isWanted = true;
      if (isRunning || this.#isClosing) return;
      isRunning = true;
      try {
        do {
          isWanted = false;
          await work();
        } while (isWanted && !this.#isClosing);
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
    return track;
  }
}
