import { randomUUID } from 'node:crypto';
import { Job, type JobJson, UnrecoverableError } from 'bullmq';
import { jobLockMs, stalledCheckMs } from '../src/domain/bot.ts';
import type { Lane } from '../src/domain/lane.ts';
import type { Logger } from '../src/log.ts';
import type { PullWorker, QueueStore } from './backend.ts';
import { laneQueues } from './lanes.ts';
import { type OrderJob, parseOrderJobId } from './order-job.ts';

/** A job in the hands of a bot. */
export interface Claim {
  lane: Lane;
  order: OrderJob;
  job: Job;
  token: string;
}

/** How the work on a claim ended: the job is gone, kept as failed for people to see, or back at the front of its lane. */
export type Ending = { kind: 'done' } | { kind: 'failed'; reason: string } | { kind: 'returned' };

export interface PulledLaneDeps {
  /** Written on every claim: when this process is dead, its claims are found by it. */
  name: string;
  store: QueueStore;
  log: Logger;
  /** Puts jobs that are at the front of their lane where they belong. */
  restorePlaces(lane: Lane, orderNumbers: number[]): Promise<void>;
  report(error: unknown, what: string): void;
}

/** One lane as one process sees it: the claims that its bots hold, their locks, and the ways a claim ends. */
export class PulledLane {
  readonly lane: Lane;
  readonly #deps: PulledLaneDeps;
  readonly #worker: PullWorker;
  /** By job id. */
  readonly #claims = new Map<string, Claim>();
  #wasEmpty = false;
  #stalled: number[] = [];
  /** Claims that go back at the end of this tick, and when they have. */
  #returning: Claim[] = [];
  #returned: Promise<void> | undefined;

  constructor(lane: Lane, deps: PulledLaneDeps) {
    this.lane = lane;
    this.#deps = deps;
    const definition = laneQueues[lane];
    this.#worker = deps.store.createPullWorker(definition.name, {
      name: deps.name,
      lockDuration: jobLockMs,
      stalledInterval: stalledCheckMs,
      // Deploys and crashes never fail an order in the queue: attempts are counted in Postgres.
      maxStalledCount: 1_000_000,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: definition.keepFailed },
    });
    this.#worker.on('error', (error) => deps.report(error, 'lane worker'));
    this.#worker.on('stalled', (jobId) => this.#collectStalled(jobId));
  }

  async open(): Promise<void> {
    await this.#worker.waitUntilReady();
    await this.#worker.startStalledCheckTimer();
  }

  /** Up to `count` orders, without waiting for any. Several takes share one trip; one that fails does not lose what the others took. */
  async take(count: number): Promise<Claim[]> {
    // The VIP lane is looked at for every normal order, mostly in vain; its length tells as much as a take that finds nothing.
    if (this.lane === 'vip' && this.#wasEmpty && (await this.#deps.store.isEmpty(laneQueues.vip.name))) return [];
    const takes = await Promise.allSettled(Array.from({ length: count }, () => this.#takeOne()));
    const claims = takes.flatMap((take) => (take.status === 'fulfilled' && take.value ? [take.value] : []));
    const failed = takes.find((take) => take.status === 'rejected');
    if (failed && claims.length === 0) throw failed.reason;
    this.#wasEmpty = claims.length < count;
    return claims;
  }

  /** Lets go of a claim; gives the next order of the lane where it is asked for and the same trip could fetch it. */
  async release(claim: Claim, ending: Ending, fetchesNext: boolean): Promise<Claim | undefined> {
    const { job, token } = claim;
    const jobId = job.id ?? '';
    this.#claims.delete(jobId);
    try {
      if (ending.kind === 'returned') {
        await this.#returnTogether(claim);
        return undefined;
      }
      const finish =
        ending.kind === 'done'
          ? job.moveToCompleted(null, token, fetchesNext)
          : job.moveToFailed(new UnrecoverableError(ending.reason), token, fetchesNext);
      if (!fetchesNext) {
        // Not awaited: the next look at the lanes goes out in the same trip, behind it.
        finish.catch((error: unknown) => this.#reportLost(error, jobId));
        return undefined;
      }
      const next = await finish;
      if (!Array.isArray(next) || !next[0]) return undefined;
      return await this.#own(this.#jobFrom(next[0] as JobJson, next[1] as string), token);
    } catch (error) {
      this.#reportLost(error, jobId);
      return undefined;
    }
  }

  /** True when the lane has a job, also one that was there already; false when none came in time. */
  async waitForRing(seconds: number): Promise<boolean> {
    return (await this.#worker.getBackend().waitForJob(seconds)) !== null;
  }

  async passOnRing(): Promise<void> {
    await this.#deps.store.passOnMarker(this.#worker);
  }

  async reconnect(): Promise<void> {
    await this.#worker.getBackend().reconnectBlocking();
  }

  async renewLocks(): Promise<void> {
    if (this.#claims.size === 0) return;
    const tokens = [...this.#claims.values()].map(({ token }) => token);
    try {
      const lost = await this.#worker.extendJobLocks([...this.#claims.keys()], tokens, jobLockMs);
      if (lost.length > 0) this.#deps.log.warn({ jobs: lost.length }, 'locks lost, the fence decides');
    } catch (error) {
      this.#deps.report(error, 'lock renewal');
    }
  }

  /** Breaks off a wait. */
  async stopWaiting(): Promise<void> {
    await this.#worker
      .getBackend()
      .disconnectBlocking(false)
      .catch(() => undefined); // a wait that is broken off rejects
  }

  async close(): Promise<void> {
    await this.#worker.close(true);
  }

  async #takeOne(): Promise<Claim | undefined> {
    for (;;) {
      const token = randomUUID();
      // Below the worker's own `getNextJob`, whose tracing and schedulers we do not use; a single run gained 4 %, hardly more than noise.
      const [found, jobId] = await this.#worker.getBackend().moveToActive(token, this.#deps.name);
      if (!found) return undefined;
      const claim = await this.#own(this.#jobFrom(found as JobJson, jobId as string), token);
      if (claim) return claim;
    }
  }

  /** The form is BullMQ's own: what its worker makes of the same answer. */
  #jobFrom(found: JobJson, jobId: string): Job {
    return Job.fromJSON(this.#worker as never, found, jobId) as Job;
  }

  /**
   * An order is known by its job's id: the data can be edited in Bull Board. Undefined for a job that is not an order's:
   * somebody put it there by hand. It is set aside where people see it.
   */
  async #own(job: Job, token: string): Promise<Claim | undefined> {
    const order = parseOrderJobId(job.id ?? '');
    if (!order) {
      await job.moveToFailed(new UnrecoverableError('not an order job'), token, false);
      return undefined;
    }
    const claim = { lane: this.lane, order, job, token };
    this.#claims.set(job.id ?? '', claim);
    return claim;
  }

  /** Claims that are let go in the same tick (the process stops) go back in one step, the youngest first: they keep their order. */
  #returnTogether(claim: Claim): Promise<void> {
    this.#returning.push(claim);
    this.#returned ??= new Promise<void>((resolve) => setImmediate(resolve)).then(async () => {
      this.#returned = undefined;
      const claims = this.#returning.splice(0).sort((a, b) => b.order.orderNumber - a.order.orderNumber);
      const { name } = laneQueues[this.lane];
      const { store, restorePlaces } = this.#deps;
      const jobs = claims.map(({ job, order, token }) => ({ id: job.id ?? '', order, token }));
      const lost = await store.returnJobs(name, jobs);
      // A store that was wiped meanwhile was refilled without what we had in hand.
      const again = jobs.filter(({ id }) => lost.includes(id));
      await store
        .queue(name)
        .addBulk(again.map(({ id, order }) => ({ name: 'order', data: order, opts: { jobId: id } })));
      await restorePlaces(
        this.lane,
        claims.map(({ order }) => order.orderNumber),
      );
    });
    return this.#returned;
  }

  #collectStalled(jobId: string): void {
    const order = parseOrderJobId(jobId);
    if (!order) return;
    this.#stalled.push(order.orderNumber);
    if (this.#stalled.length > 1) return;
    setImmediate(() => {
      this.#deps
        .restorePlaces(this.lane, this.#stalled.splice(0))
        .catch((error: unknown) => this.#deps.report(error, 'restoring places'));
    });
  }

  /** The job was taken from us, or its store was wiped: Postgres has the truth already, nothing is to be done. */
  #reportLost(error: unknown, jobId: string): void {
    this.#deps.log.info({ jobId, error: (error as Error).message }, 'job was no longer ours');
  }
}
