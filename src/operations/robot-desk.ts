import { setTimeout as delay } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import type { QueueStore } from '../../queues/backend.ts';
import { LanePuller } from '../../queues/lane-puller.ts';
import type { Claim, Ending } from '../../queues/pulled-lane.ts';
import { deleteHost, renewDeskLease } from '../db/bot-hosts.ts';
import type { Database } from '../db/pool.ts';
import { type Robot, type RobotAttempt, renewRobotLeases } from '../db/robots.ts';
import { leaseRenewalMs } from '../domain/bot.ts';
import { ForbiddenError } from '../domain/errors.ts';
import type { Logger } from '../log.ts';
import { restorePlaces } from './restore-places.ts';
import { type RobotClaim, RobotWait } from './robot-wait.ts';
import { startRobotOrder } from './start-robot-order.ts';
import { within } from './within.ts';

export interface RobotDeskDeps {
  database: Database;
  /** A store of the worker's kind; opened with the first robot that finds nothing in its hands. */
  openStore(): QueueStore;
  announce(): void;
  log: Logger;
}

interface OpenLanes {
  puller: LanePuller;
  store: QueueStore;
}

/** A claim that does not wait has its answer by then, or the queue store is away. */
const lookMs = 2_000;

/**
 * Where robots of one's own get their orders, one desk per web process.
 *
 * 1. A robot that asks is a bot of the desk's lane puller until it has an order, or nobody waits for its answer any more.
 * 2. The order is started in Postgres, then its job is finished at once: Postgres is the truth, and from here on nobody misses
 *    this process. When the robot falls silent, its order comes back by the outbox.
 * 3. The robot's row is locked while an order is started for it: two claims at two web processes do not start two orders. Who
 *    comes second gives its job back to the front of the lane and answers with the order that the robot has.
 * 4. While a robot waits its lease is renewed here, each second; so it is also noticed that another process started an order for it.
 * 5. The desk has a lease itself: when this process dies between taking a job and starting the order, the job is found by it.
 */
export class RobotDesk {
  readonly #deps: RobotDeskDeps;
  readonly #id = uuidv7();
  /** By the robot's id. */
  readonly #waits = new Map<string, RobotWait>();
  #opening: Promise<OpenLanes> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isRenewing = false;
  #isClosing = false;

  constructor(deps: RobotDeskDeps) {
    this.#deps = deps;
  }

  /** The order that was started for this robot, or null when none was due in time. Several claims of one robot get the same. */
  async claim(robot: Robot, waitMs: number, hungUp: AbortSignal): Promise<RobotClaim | null> {
    if (this.#isClosing) return null;
    const { puller } = await within(lookMs, 'The queue store', this.#open());
    if (this.#isClosing || hungUp.aborted) return null;
    const wait = this.#waits.get(robot.id) ?? this.#begin(robot, puller);
    const asker = wait.add(waitMs > 0);
    const deadline = setTimeout(() => wait.giveUp(asker), waitMs || lookMs);
    const leave = () => asker.resolve(null);
    hungUp.addEventListener('abort', leave);
    try {
      return await asker.promise;
    } finally {
      clearTimeout(deadline);
      hungUp.removeEventListener('abort', leave);
      wait.remove(asker);
      if (wait.isDeserted) this.#end(wait, puller);
    }
  }

  /** Answers whoever waits with nothing. What is being started is still given out. */
  async close(): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#timer);
    for (const wait of this.#waits.values()) wait.resolveUnlessStarting(null);
    // A queue store that is away would keep us waiting for ever.
    await Promise.race([this.#leave(), delay(2_000, undefined, { ref: false })]);
  }

  async #leave(): Promise<void> {
    const opened = await this.#opening?.catch(() => undefined); // it never opened
    if (!opened) return;
    await opened.puller.close();
    await opened.store.close();
    await deleteHost(this.#deps.database.pool, this.#id);
  }

  #begin(robot: Robot, puller: LanePuller): RobotWait {
    const wait = new RobotWait(robot);
    this.#waits.set(robot.id, wait);
    puller.addBot(robot.id);
    return wait;
  }

  #end(wait: RobotWait, puller: LanePuller): void {
    if (this.#waits.get(wait.robot.id) !== wait) return;
    this.#waits.delete(wait.robot.id);
    puller.removeBot(wait.robot.id);
  }

  #open(): Promise<OpenLanes> {
    this.#opening ??= this.#openLanes().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #openLanes(): Promise<OpenLanes> {
    const { database, log } = this.#deps;
    await renewDeskLease(database.pool, this.#id);
    const store = this.#deps.openStore();
    const puller: LanePuller = new LanePuller({
      name: this.#id,
      store,
      log,
      work: (robotId, claim) => this.#work(robotId, claim, puller),
      onRest: (robotId) => this.#waits.get(robotId)?.sayNothingIsDue(),
      restorePlaces: async (lane, orderNumbers) => {
        await restorePlaces({ db: database.pool, store }, lane, orderNumbers);
      },
    });
    try {
      await puller.start();
    } catch (error) {
      await puller.close();
      await store.close();
      throw error;
    }
    if (!this.#isClosing) this.#timer = setInterval(() => void this.#renew(puller), leaseRenewalMs);
    return { puller, store };
  }

  async #work(robotId: string, { order }: Claim, puller: LanePuller): Promise<Ending> {
    const wait = this.#waits.get(robotId);
    if (!wait || this.#isClosing) return { kind: 'returned' };
    const { announce, database, log } = this.#deps;
    try {
      const start = await wait.whileStarting(() => startRobotOrder(database.pool, wait.robot, order));
      if (start.kind === 'not due') {
        // The job is of no use, and the robot looks on, unless everybody has left meanwhile.
        if (wait.isDeserted) this.#end(wait, puller);
        return { kind: 'done' };
      }
      this.#end(wait, puller);
      if (start.kind === 'not a robot') {
        wait.reject(new ForbiddenError('This account does not work as a robot any more.'));
        return { kind: 'returned' };
      }
      wait.resolve(start.claim);
      if (start.kind === 'in hand') return { kind: 'returned' };
      announce();
      log.debug({ ...start.claim, botNumber: wait.robot.number }, 'order given to a robot');
      return { kind: 'done' };
    } catch (error) {
      // If it was started after all, the robot gets it with its next claim, and whoever takes the job drops it.
      this.#end(wait, puller);
      wait.reject(error);
      log.warn({ error: (error as Error).message, orderNumber: order.orderNumber }, 'order not given to a robot');
      return { kind: 'returned' };
    }
  }

  async #renew(puller: LanePuller): Promise<void> {
    if (this.#isRenewing) return;
    this.#isRenewing = true;
    try {
      const { pool } = this.#deps.database;
      await renewDeskLease(pool, this.#id);
      if (this.#waits.size === 0) return;
      for (const attempt of await renewRobotLeases(pool, [...this.#waits.keys()])) this.#handOut(attempt, puller);
    } catch (error) {
      this.#deps.log.warn({ error: (error as Error).message }, 'leases of waiting robots not renewed');
    } finally {
      this.#isRenewing = false;
    }
  }

  /** Another web process started this order for a robot that waits here. */
  #handOut({ robotId, orderNumber, attempt }: RobotAttempt, puller: LanePuller): void {
    const wait = this.#waits.get(robotId);
    if (!wait || wait.isStarting) return;
    this.#end(wait, puller);
    wait.resolve({ orderNumber, attempt });
  }
}
