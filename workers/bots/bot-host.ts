import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import type { QueueStore } from '../../queues/backend.ts';
import { LanePuller } from '../../queues/lane-puller.ts';
import type { Claim, Ending } from '../../queues/pulled-lane.ts';
import { deleteHost, findNextLeaseEndMs, type HostBot, insertHost } from '../../src/db/bot-hosts.ts';
import { type Listener, listen, notify } from '../../src/db/notify.ts';
import { type AttemptKey, listAttemptsOfHost, saveProgress } from '../../src/db/order-returns.ts';
import type { Database } from '../../src/db/pool.ts';
import { hostLeaseMs, leaseRenewalMs } from '../../src/domain/bot.ts';
import { LeaseJudge } from '../../src/domain/lease-judge.ts';
import type { Logger } from '../../src/log.ts';
import { clearDeadHosts } from '../../src/operations/clear-dead-hosts.ts';
import { giveBackOrphans } from '../../src/operations/give-back-orphans.ts';
import { renewHost } from '../../src/operations/renew-host.ts';
import { restorePlaces } from '../../src/operations/restore-places.ts';
import type { Handler } from './handlers/handler.ts';
import { OrderCommitter } from './order-committer.ts';
import { type BotInHand, LetGoError, runOrder } from './order-run.ts';

export interface BotHostDeps {
  database: Database;
  store: QueueStore;
  handler: Handler;
  announce(): void;
  capacity: number;
  maxAttempts: number;
  log: Logger;
}

/**
 * A process that runs bots. Every second, and whenever something about bots was said, it
 *
 * 1. renews its lease, and takes or releases bots so that the living hosts share them;
 * 2. gives its puller the bots that are new and takes those away that are gone, aborting what they had in hand;
 * 3. asks which of its attempts are still the current ones, and lets go of the others; what it should have in hand and has not, it gives back;
 * 4. clears away hosts whose lease ran out: their orders become pending again.
 *
 * A host that was frozen finds its lease gone: it lets go of everything and begins anew. A host judges others
 * only after renewing for a whole lease without a break: when Postgres was away, nobody's lease could be renewed.
 */
export class BotHost {
  readonly #deps: BotHostDeps;
  readonly #puller: LanePuller;
  readonly #committer: OrderCommitter;
  readonly #inHand = new Map<string, BotInHand>();
  readonly #name = `${hostname()}:${process.pid}`;
  #bots = new Map<string, HostBot>();
  readonly #hostId = uuidv7();
  #listener: Listener | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** At the end of a silent host's lease: its orders do not wait for our next second. */
  #again: NodeJS.Timeout | undefined;
  #sync: Promise<void> | undefined;
  #isSyncDue = false;
  #isStopping = false;
  #judge = new LeaseJudge();

  constructor(deps: BotHostDeps) {
    this.#deps = deps;
    this.#committer = new OrderCommitter(deps);
    this.#puller = new LanePuller({
      name: this.#hostId,
      store: deps.store,
      log: deps.log,
      work: (botId, claim) => this.#work(botId, claim),
      restorePlaces: async (lane, orderNumbers) => {
        await restorePlaces({ db: deps.database.pool, store: deps.store }, lane, orderNumbers);
      },
    });
  }

  async start(): Promise<void> {
    await this.#register();
    await this.#puller.start();
    this.#listener = listen(this.#deps.database.url, ['twolane_bots'], () => void this.synchronise(), this.#deps.log);
    this.#timer = setInterval(() => void this.synchronise(), leaseRenewalMs);
    await this.synchronise();
  }

  /** Gives everything back and leaves: takes as long as a few statements, whatever the handlers do. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#timer);
    clearTimeout(this.#again);
    await this.#sync;
    for (const bot of this.#inHand.values()) bot.abort.abort(new LetGoError('host_stopping'));
    await this.#puller.close();
    await this.#committer.close();
    const { pool } = this.#deps.database;
    await Promise.race([
      deleteHost(pool, this.#hostId)
        .then(() => notify(pool, 'twolane_bots'))
        .catch((error: Error) => this.#deps.log.warn({ error: error.message }, 'lease not ended, it will run out')),
      delay(1_000),
    ]);
    await this.#listener?.close();
  }

  /** One round of the above; several calls meanwhile make one more. */
  async synchronise(): Promise<void> {
    if (this.#isStopping) return;
    this.#isSyncDue = true;
    this.#sync ??= (async () => {
      while (this.#isSyncDue && !this.#isStopping) {
        this.#isSyncDue = false;
        await this.#syncOnce().catch((error: Error) =>
          this.#deps.log.warn({ error: error.message }, 'host not synchronised'),
        );
      }
    })().finally(() => {
      this.#sync = undefined;
    });
    await this.#sync;
  }

  async #register(): Promise<void> {
    await insertHost(this.#deps.database.pool, { id: this.#hostId, name: this.#name, capacity: this.#deps.capacity });
    this.#judge = new LeaseJudge();
    this.#judge.reached(performance.now());
    this.#deps.log.info({ hostId: this.#hostId, capacity: this.#deps.capacity }, 'bot host registered');
  }

  async #syncOnce(): Promise<void> {
    const { pool } = this.#deps.database;
    const assigned = await renewHost(pool, this.#hostId, (bots, count) => this.#retireIdle(bots, count));
    if (assigned === null) {
      this.#deps.log.warn({ hostId: this.#hostId }, 'lease lost, letting go of everything');
      this.#takeAway([...this.#bots.keys()], 'lease_lost');
      await this.#register();
      this.#isSyncDue = true;
      return;
    }
    this.#judge.reached(performance.now());

    const wanted = new Map(assigned.map((bot) => [bot.id, bot]));
    this.#takeAway(
      [...this.#bots.keys()].filter((botId) => !wanted.has(botId)),
      'bot_removed',
    );
    this.#bots = wanted;
    for (const botId of wanted.keys()) this.#puller.addBot(botId);

    await this.#checkFences();
    if (!this.#judge.mayJudge(hostLeaseMs)) return;
    await clearDeadHosts({ ...this.#deps, pool }, this.#judge);
    const nextEndMs = await findNextLeaseEndMs(pool, this.#hostId);
    if (nextEndMs !== null && nextEndMs < leaseRenewalMs)
      this.#again = setTimeout(() => void this.synchronise(), nextEndMs + 5);
  }

  /** Out of the puller before the database hears of it: a bot released while it takes an order would have to give that back. */
  #retireIdle(bots: readonly HostBot[], count: number): readonly HostBot[] {
    const idle = bots.filter(({ id }) => !this.#inHand.has(id)).slice(-count);
    for (const { id } of idle) {
      this.#bots.delete(id);
      this.#puller.removeBot(id);
    }
    return idle;
  }

  #takeAway(botIds: readonly string[], reason: 'bot_removed' | 'lease_lost'): void {
    for (const botId of botIds) {
      this.#bots.delete(botId);
      this.#puller.removeBot(botId);
      this.#inHand.get(botId)?.abort.abort(new LetGoError(reason));
    }
  }

  async #checkFences(): Promise<void> {
    const { pool } = this.#deps.database;
    const before = [...this.#inHand.values()];
    const running = before.filter((bot) => bot.attempt > 0);
    const held = await listAttemptsOfHost(pool, this.#hostId);
    const current = new Map(held.map((key) => [key.orderNumber, key.attempt]));
    for (const bot of running) {
      // A bot that finished meanwhile is not in hand any more; aborting it has no effect.
      if (current.get(bot.orderNumber) !== bot.attempt) bot.abort.abort(new LetGoError('superseded'));
    }
    const worked = new Set([...before, ...this.#inHand.values()].map((bot) => bot.orderNumber));
    await this.#giveBackOrphans(held.filter(({ orderNumber }) => !worked.has(orderNumber)));
    await saveProgress(
      pool,
      running.flatMap((bot) => (bot.progress === null ? [] : [{ ...bot, progress: bot.progress }])),
    );
  }

  async #giveBackOrphans(orphans: readonly AttemptKey[]): Promise<void> {
    if (orphans.length === 0) return;
    const returned = await giveBackOrphans(this.#deps.database.pool, orphans);
    if (returned === 0) return; // completed while we looked
    this.#deps.announce();
    this.#deps.log.warn({ orders: returned }, 'orders that nobody worked on given back');
  }

  async #work(botId: string, claim: Claim): Promise<Ending> {
    const known = this.#bots.get(botId);
    if (!known) return { kind: 'returned' };
    const bot: BotInHand = {
      ...known,
      orderNumber: claim.order.orderNumber,
      attempt: 0,
      progress: null,
      abort: new AbortController(),
    };
    if (this.#isStopping) return { kind: 'returned' };
    this.#inHand.set(botId, bot);
    try {
      return await runOrder(
        { ...this.#deps, committer: this.#committer, isStopping: () => this.#isStopping },
        this.#hostId,
        bot,
        claim,
      );
    } catch (error) {
      // The job stays in its lane; whoever starts it finds the truth. An order that is left in our hands is given back by the next round.
      this.#deps.log.error(
        { error: (error as Error).message, orderNumber: claim.order.orderNumber },
        'order left to the next start',
      );
      return { kind: 'returned' };
    } finally {
      if (this.#inHand.get(botId) === bot) this.#inHand.delete(botId);
    }
  }
}
