import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Job, type JobJson, UnrecoverableError } from 'bullmq';
import type { PullWorker, QueueStore } from '../../queues/backend.ts';
import { laneQueues } from '../../queues/lanes.ts';
import { type OrderJob, orderJobSchema, parseOrderJobId } from '../../queues/order-job.ts';
import { jobLockMs, leaseRenewalMs, stalledCheckMs } from '../../src/domain/bot.ts';
import { type Lane, lanes } from '../../src/domain/lane.ts';
import type { Logger } from '../../src/log.ts';

/** A job in the hands of a bot. */
export interface Claim {
  lane: Lane;
  order: OrderJob;
  job: Job;
  token: string;
}

/** How the work on a claim ended: the job is gone, kept as failed for people to see, or back at the front of its lane. */
export type Ending = { kind: 'done' } | { kind: 'failed'; reason: string } | { kind: 'returned' };

export interface LanePullerDeps {
  /** Written on every claim: when this process is dead, its claims are found by it. */
  name: string;
  store: QueueStore;
  log: Logger;
  /** Does the order. Never throws; resolves soon after its bot was removed. */
  work(botId: string, claim: Claim): Promise<Ending>;
  /** Puts jobs that are at the front of their lane where they belong. */
  restorePlaces(lane: Lane, orderNumbers: number[]): Promise<void>;
}

interface PulledBot {
  id: string;
  isRemoved: boolean;
}

interface LaneState {
  lane: Lane;
  worker: PullWorker;
  /** By job id. */
  claims: Map<string, Claim>;
  stalled: number[];
  /** Claims that go back at the end of this tick, and when they have. */
  returning: Claim[];
  returned: Promise<void> | undefined;
}

const maxWaitSeconds = 5;
const afterErrorMs = 200;

/**
 * Pulls orders from two BullMQ queues for the bots of one process, strictly VIP first.
 *
 * The life of an order in here:
 * 1. A free bot asks for work. All bots that ask in the same tick share one look at the VIP lane; whoever finds nothing
 *    there takes from the normal lane. A look never blocks.
 * 2. Both lanes empty: the bot is idle. While some bot is idle, each lane has a doorbell: one blocking wait that returns when
 *    the lane has a job. It is level-triggered on both backends, so a job added between the look and the wait still rings.
 * 3. Redis gives a ring to one waiting process only. If no bot is idle any more when ours rings, the marker is put back, so that
 *    another process (or this one, later) wakes; otherwise the job would wait for the end of an order here.
 * 4. A claimed job is locked; the locks of all claims are renewed together every second. A lost lock ends nothing by itself:
 *    the fence in Postgres decides who may finish the order.
 * 5. The end of a VIP order fetches the next VIP order in the same trip. The end of a normal order never does: a VIP order
 *    that came meanwhile must be looked for first. Its release travels together with that look.
 * 6. A removed bot's job goes back to the front of its lane. The jobs of a dead process are brought back by the host that
 *    ends its lease (`BotHost`); the stalled check, which every process runs, is the net below. Orders that came back at
 *    different times stand in mixed order at the front, hence `restorePlaces`.
 */
export class LanePuller {
  readonly #deps: LanePullerDeps;
  readonly #lanes: LaneState[];
  readonly #bots = new Map<string, PulledBot>();
  readonly #running = new Set<Promise<void>>();
  #idle: PulledBot[] = [];
  #asking: ((claim: Claim | undefined) => void)[] = [];
  #failAsking: ((error: unknown) => void)[] = [];
  #waitingForIdle: (() => void)[] = [];
  #isClosing = false;
  #isPumping = false;
  #rangWhilePumping = false;
  #renewal: NodeJS.Timeout | undefined;
  #doorbells: Promise<void>[] = [];

  constructor(deps: LanePullerDeps) {
    this.#deps = deps;
    this.#lanes = lanes.map((lane) => this.#openLane(lane));
  }

  get idleBots(): number {
    return this.#idle.length;
  }

  async start(): Promise<void> {
    for (const { worker } of this.#lanes) {
      await worker.waitUntilReady();
      await worker.startStalledCheckTimer();
    }
    this.#renewal = setInterval(() => void this.#renewLocks(), leaseRenewalMs);
    this.#doorbells = this.#lanes.map((state) => this.#answerDoorbell(state));
  }

  addBot(id: string): void {
    if (this.#isClosing || this.#bots.has(id)) return;
    const bot: PulledBot = { id, isRemoved: false };
    this.#bots.set(id, bot);
    this.#run(bot);
  }

  /** The bot takes no further order. What it has in hand comes back when its work, aborted by the caller, has ended. */
  removeBot(id: string): void {
    const bot = this.#bots.get(id);
    if (!bot) return;
    bot.isRemoved = true;
    this.#bots.delete(id);
    this.#idle = this.#idle.filter((other) => other !== bot);
  }

  /** Takes no further order and waits until every bot has let go of its own; then leaves the queues. */
  async close(): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#renewal);
    for (const id of [...this.#bots.keys()]) this.removeBot(id);
    this.#wakeDoorbells();
    await Promise.all(this.#running);
    await Promise.all(
      this.#lanes.map(({ worker }) =>
        worker
          .getBackend()
          .disconnectBlocking(false)
          .catch(() => undefined),
      ),
    ); // a wait that is broken off rejects
    await Promise.race([Promise.all(this.#doorbells), delay(1_000)]);
    await Promise.all(this.#lanes.map(({ worker }) => worker.close(true)));
  }

  #openLane(lane: Lane): LaneState {
    const { store, name } = this.#deps;
    const definition = laneQueues[lane];
    const worker = store.createPullWorker(definition.name, {
      name,
      lockDuration: jobLockMs,
      stalledInterval: stalledCheckMs,
      // Deploys and crashes never fail an order in the queue: attempts are counted in Postgres.
      maxStalledCount: 1_000_000,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: definition.keepFailed },
    });
    const state: LaneState = { lane, worker, claims: new Map(), stalled: [], returning: [], returned: undefined };
    worker.on('error', (error) => this.#report(error, 'lane worker'));
    worker.on('stalled', (jobId) => this.#collectStalled(state, jobId));
    return state;
  }

  #report(error: unknown, what: string): void {
    if (!this.#isClosing) this.#deps.log.warn({ error: (error as Error).message }, `${what} failed`);
  }

  // ── the bots ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  #run(bot: PulledBot, first?: Claim): void {
    const run = this.#workOn(bot, first).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  async #workOn(bot: PulledBot, first: Claim | undefined): Promise<void> {
    let claim = first;
    for (;;) {
      claim ??= await this.#askUntilHeard(bot);
      if (!claim) break;
      if (bot.isRemoved) {
        await this.#release(bot, claim, { kind: 'returned' });
        return;
      }
      const ending = await this.#deps.work(bot.id, claim);
      claim = await this.#release(bot, claim, ending);
      if (bot.isRemoved && !claim) return;
    }
    if (!bot.isRemoved) this.#rest(bot, 'last');
  }

  /** A doorbell may have rung while the bot was asking, and found nobody: it has to look again. */
  #rest(bot: PulledBot, place: 'first' | 'last'): void {
    if (place === 'first') this.#idle.unshift(bot);
    else this.#idle.push(bot);
    this.#wakeDoorbells();
  }

  async #askUntilHeard(bot: PulledBot): Promise<Claim | undefined> {
    while (!bot.isRemoved) {
      try {
        return await this.#ask();
      } catch (error) {
        this.#report(error, 'claim');
        await delay(afterErrorMs);
      }
    }
    return undefined;
  }

  // ── claiming ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The next order, or undefined when both lanes were empty at a moment after this call. */
  #ask(): Promise<Claim | undefined> {
    return new Promise((resolve, reject) => {
      this.#asking.push(resolve);
      this.#failAsking.push(reject);
      if (this.#asking.length === 1) setImmediate(() => void this.#answerTogether());
    });
  }

  async #answerTogether(): Promise<void> {
    const answers = this.#asking;
    const fails = this.#failAsking;
    this.#asking = [];
    this.#failAsking = [];
    let answered = 0;
    const give = (claim: Claim | undefined) => answers[answered++]?.(claim);
    try {
      let probes = 1; // one look tells whether the lane is empty
      for (const state of this.#lanes) {
        while (answered < answers.length) {
          const found = await this.#take(state, Math.min(probes, answers.length - answered));
          for (const claim of found) give(claim);
          if (found.length < probes) break;
          probes = answers.length - answered;
        }
        probes = answers.length - answered;
      }
      while (answered < answers.length) give(undefined);
    } catch (error) {
      for (const fail of fails.slice(answered)) fail(error);
    }
  }

  /** Several takes in one tick share one trip on Redis. One that fails must not lose what the others took. */
  async #take(state: LaneState, count: number): Promise<Claim[]> {
    const takes = await Promise.allSettled(Array.from({ length: count }, () => this.#takeOne(state)));
    const claims = takes.flatMap((take) => (take.status === 'fulfilled' && take.value ? [take.value] : []));
    const failed = takes.find((take) => take.status === 'rejected');
    if (failed && claims.length === 0) throw failed.reason;
    return claims;
  }

  async #takeOne(state: LaneState): Promise<Claim | undefined> {
    for (;;) {
      const token = randomUUID();
      const job = await state.worker.getNextJob(token, { block: false });
      const claim = job && (await this.#own(state, job, token));
      if (!job || claim) return claim;
    }
  }

  /** Undefined for a job that is not an order's: somebody put it there by hand. It is set aside where people see it. */
  async #own(state: LaneState, job: Job, token: string): Promise<Claim | undefined> {
    const order = orderJobSchema.safeParse(job.data);
    if (!order.success) {
      await job.moveToFailed(new UnrecoverableError('not an order job'), token, false);
      return undefined;
    }
    const claim = { lane: state.lane, order: order.data, job, token };
    state.claims.set(job.id ?? '', claim);
    return claim;
  }

  // ── letting go ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Lets go of a claim; gives the next one where the same trip could fetch it. */
  async #release(bot: PulledBot, claim: Claim, ending: Ending): Promise<Claim | undefined> {
    const { lane, job, token } = claim;
    const state = this.#stateOf(lane);
    const jobId = job.id ?? '';
    state.claims.delete(jobId);
    const fetchesNext = lane === 'vip' && ending.kind !== 'returned' && !bot.isRemoved;
    try {
      if (ending.kind === 'returned') {
        await this.#returnTogether(state, claim);
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
      return await this.#own(
        state,
        Job.fromJSON(state.worker as never, next[0] as JobJson, next[1] as string) as Job,
        token,
      );
    } catch (error) {
      this.#reportLost(error, jobId);
      return undefined;
    }
  }

  /** Claims that are let go in the same tick (the process stops) go back in one step, the youngest first: they keep their order. */
  #returnTogether(state: LaneState, claim: Claim): Promise<void> {
    state.returning.push(claim);
    state.returned ??= new Promise<void>((resolve) => setImmediate(resolve)).then(async () => {
      state.returned = undefined;
      const claims = state.returning.splice(0).sort((a, b) => b.order.orderNumber - a.order.orderNumber);
      const { name } = laneQueues[state.lane];
      const jobs = claims.map(({ job, order, token }) => ({ id: job.id ?? '', order, token }));
      await this.#deps.store.returnJobs(name, jobs);
      // A job that its store has lost meanwhile is made anew; for one that is there this does nothing.
      const again = jobs.map(({ id, order }) => ({ name: 'order', data: order, opts: { jobId: id } }));
      await this.#deps.store.queue(name).addBulk(again);
      await this.#deps.restorePlaces(
        state.lane,
        claims.map(({ order }) => order.orderNumber),
      );
    });
    return state.returned;
  }

  /** The job was taken from us, or its store was wiped: Postgres has the truth already, nothing is to be done. */
  #reportLost(error: unknown, jobId: string): void {
    this.#deps.log.info({ jobId, error: (error as Error).message }, 'job was no longer ours');
  }

  #stateOf(lane: Lane): LaneState {
    return this.#lanes[lanes.indexOf(lane)] as LaneState; // one state per lane, in the same order
  }

  #collectStalled(state: LaneState, jobId: string): void {
    const order = parseOrderJobId(jobId);
    if (!order) return;
    state.stalled.push(order.orderNumber);
    if (state.stalled.length > 1) return;
    setImmediate(() => {
      this.#deps
        .restorePlaces(state.lane, state.stalled.splice(0))
        .catch((error: unknown) => this.#report(error, 'restoring places'));
    });
  }

  // ── doorbells ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #answerDoorbell({ worker }: LaneState): Promise<void> {
    const backend = worker.getBackend();
    let emptyRings = 0;
    while (!this.#isClosing) {
      if (this.#idle.length === 0) {
        await new Promise<void>((resolve) => this.#waitingForIdle.push(resolve));
        continue;
      }
      try {
        const rang = await backend.waitForJob(maxWaitSeconds);
        if (this.#isClosing) return;
        if (!rang) {
          await this.#pump(); // only a net: no wake-up is known to get lost
          continue;
        }
        if (this.#idle.length === 0) await this.#deps.store.passOnMarker(worker);
        else emptyRings = (await this.#pump()) ? 0 : emptyRings + 1;
        // A lane that rings without giving a job (paused by hand, or emptied by others) must not spin.
        if (emptyRings > 3) await delay(Math.min(emptyRings * 5, 100));
      } catch (error) {
        this.#report(error, 'doorbell');
        if (this.#isClosing) return;
        await delay(afterErrorMs);
        await backend.reconnectBlocking().catch((again: unknown) => this.#report(again, 'reconnect'));
      }
    }
  }

  #wakeDoorbells(): void {
    for (const wake of this.#waitingForIdle.splice(0)) wake();
  }

  /** Hands orders to idle bots until there are none of either. Tells whether it gave out any. */
  async #pump(): Promise<boolean> {
    if (this.#isPumping) {
      this.#rangWhilePumping = true; // its last look may have been too early for this ring
      return true;
    }
    this.#isPumping = true;
    let given = false;
    try {
      for (let bot = this.#idle.shift(); bot; bot = this.#idle.shift()) {
        let claim: Claim | undefined;
        try {
          claim = await this.#ask();
        } finally {
          if (!claim && !bot.isRemoved) this.#rest(bot, 'first');
        }
        if (!claim && this.#rangWhilePumping) {
          this.#rangWhilePumping = false;
          continue;
        }
        if (!claim) break;
        given = true;
        this.#run(bot, claim);
      }
    } finally {
      this.#isPumping = false;
      this.#rangWhilePumping = false;
    }
    return given;
  }

  // ── locks ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #renewLocks(): Promise<void> {
    for (const { worker, claims } of this.#lanes) {
      if (claims.size === 0) continue;
      const ids = [...claims.keys()];
      const tokens = [...claims.values()].map(({ token }) => token);
      try {
        const lost = await worker.extendJobLocks(ids, tokens, jobLockMs);
        if (lost.length > 0) this.#deps.log.warn({ jobs: lost.length }, 'locks lost, the fence decides');
      } catch (error) {
        this.#report(error, 'lock renewal');
      }
    }
  }
}
