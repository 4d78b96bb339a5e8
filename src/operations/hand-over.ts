import type { QueueStore } from '../../queues/backend.ts';
import { laneQueues } from '../../queues/lanes.ts';
import type { OrderJob } from '../../queues/order-job.ts';
import { deleteOutboxRows } from '../db/outbox.ts';
import type { Database } from '../db/pool.ts';
import { lanes } from '../domain/lane.ts';
import type { Logger } from '../log.ts';

export interface HandOverDeps {
  database: Database;
  store: QueueStore;
  log: Logger;
}

/** How long handed-over outbox rows wait for the next group commit to take them along. */
const idleDeleteMs = 100;

/**
 * Brings the jobs of a group that was just committed to their lanes, after the answer and outside the transaction, one bulk at
 * a time so that the lane keeps the order of the commits. What cannot be handed over stays in the outbox for the relay.
 */
export class HandOver {
  readonly #deps: HandOverDeps;
  #waiting: { outboxId: string; queue: string; jobs: OrderJob[] }[] = [];
  #handedOver: string[] = [];
  #flight: Promise<void> | undefined;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(deps: HandOverDeps) {
    this.#deps = deps;
  }

  add(outboxId: string, queue: string, jobs: OrderJob[]): void {
    this.#waiting.push({ outboxId, queue, jobs });
    this.#flight ??= this.#fly();
  }

  /** The outbox rows whose jobs their queues hold: the caller removes them in its own transaction, or gives them back by `putBack`. */
  takeHandedOver(): string[] {
    return this.#handedOver.splice(0);
  }

  putBack(outboxIds: string[]): void {
    this.#handedOver.push(...outboxIds);
    this.#idleTimer ??= setTimeout(() => void this.#deleteHandedOver(), idleDeleteMs);
  }

  async settle(): Promise<void> {
    while (this.#flight) await this.#flight;
    clearTimeout(this.#idleTimer);
    await this.#deleteHandedOver();
  }

  async #fly(): Promise<void> {
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0);
      try {
        await Promise.all(
          lanes.map(async (lane) => {
            const definition = laneQueues[lane];
            const jobs = batch.filter(({ queue }) => queue === definition.name).flatMap((entry) => entry.jobs);
            if (jobs.length === 0) return;
            await this.#deps.store
              .queue(definition.name)
              .addBulk(jobs.map((data) => ({ name: 'order', data, opts: { jobId: definition.jobId(data) } })));
          }),
        );
        this.putBack(batch.map(({ outboxId }) => outboxId));
      } catch (error) {
        this.#deps.log.warn(
          { error: (error as Error).message, groups: batch.length },
          'hand-over failed, left to the relay',
        );
      }
    }
    this.#flight = undefined;
  }

  async #deleteHandedOver(): Promise<void> {
    this.#idleTimer = undefined;
    const outboxIds = this.takeHandedOver();
    if (outboxIds.length === 0) return;
    try {
      await deleteOutboxRows(this.#deps.database.pool, outboxIds);
    } catch (error) {
      // The relay finds them and adds what is already there, which is a no-op.
      this.#deps.log.warn({ error: (error as Error).message }, 'handed-over outbox rows were not removed');
    }
  }
}
