import { setTimeout as delay } from 'node:timers/promises';
import { leaseRenewalMs } from '../src/domain/bot.ts';
import { lanes } from '../src/domain/lane.ts';
import { type Claim, type Ending, PulledLane, type PulledLaneDeps } from './pulled-lane.ts';

export interface LanePullerDeps extends Omit<PulledLaneDeps, 'report'> {
  /** Does the order. Never throws; resolves soon after its bot was removed. */
  work(botId: string, claim: Claim): Promise<Ending>;
  /** Both lanes were empty when this bot looked; from now on it waits for their bells. Told before it can be woken. */
  onRest?(botId: string): void;
}

interface PulledBot {
  id: string;
  isRemoved: boolean;
}

const maxWaitSeconds = 5;
const afterErrorMs = 200;

/**
 * Pulls orders from two BullMQ queues for the bots of one process, strictly VIP first: the bots of a host, or the robots of one's
 * own that wait at a web process.
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
 * 6. A removed bot's job goes back to the front of its lane. The jobs of a dead process are brought back by whoever ends
 *    its lease (`clearDeadHosts`); the stalled check, which every process runs, is the net below. Orders that came back at
 *    different times stand in mixed order at the front, hence `restorePlaces`.
 */
export class LanePuller {
  readonly #deps: LanePullerDeps;
  readonly #lanes: PulledLane[];
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
    const report = (error: unknown, what: string) => this.#report(error, what);
    this.#lanes = lanes.map((lane) => new PulledLane(lane, { ...deps, report }));
  }

  get idleBots(): number {
    return this.#idle.length;
  }

  async start(): Promise<void> {
    for (const lane of this.#lanes) await lane.open();
    this.#renewal = setInterval(() => {
      for (const lane of this.#lanes) void lane.renewLocks();
    }, leaseRenewalMs);
    this.#doorbells = this.#lanes.map((lane) => this.#answerDoorbell(lane));
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
    await Promise.all(this.#lanes.map((lane) => lane.stopWaiting()));
    await Promise.race([Promise.all(this.#doorbells), delay(1_000)]);
    await Promise.all(this.#lanes.map((lane) => lane.close()));
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
    this.#deps.onRest?.(bot.id);
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
      for (const lane of this.#lanes) {
        while (answered < answers.length) {
          const found = await lane.take(Math.min(probes, answers.length - answered));
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

  async #release(bot: PulledBot, claim: Claim, ending: Ending): Promise<Claim | undefined> {
    const lane = this.#lanes.find((one) => one.lane === claim.lane);
    return lane?.release(claim, ending, claim.lane === 'vip' && ending.kind !== 'returned' && !bot.isRemoved);
  }

  // ── doorbells ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #answerDoorbell(lane: PulledLane): Promise<void> {
    let emptyRings = 0;
    while (!this.#isClosing) {
      if (this.#idle.length === 0) {
        await new Promise<void>((resolve) => this.#waitingForIdle.push(resolve));
        continue;
      }
      try {
        const rang = await lane.waitForRing(maxWaitSeconds);
        if (this.#isClosing) return;
        if (!rang) {
          await this.#pump(); // only a net: no wake-up is known to get lost
          continue;
        }
        if (this.#idle.length === 0) await lane.passOnRing();
        else emptyRings = (await this.#pump()) ? 0 : emptyRings + 1;
        // A lane that rings without giving a job (paused by hand, or emptied by others) must not spin.
        if (emptyRings > 3) await delay(Math.min(emptyRings * 5, 100));
      } catch (error) {
        this.#report(error, 'doorbell');
        if (this.#isClosing) return;
        await delay(afterErrorMs);
        await lane.reconnect().catch((again: unknown) => this.#report(again, 'reconnect'));
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
}
