import { manager } from '../support/api.ts';
import type { Backend } from '../support/engine.ts';
import { Customer, newStory, type OrderStory } from './customer.ts';
import { findBroken } from './invariants.ts';
import { OrderWatch } from './order-watch.ts';
import { findDifferences } from './reconcile.ts';
import { letTimePass, untilAtRest } from './rest.ts';
import { findLeaks } from './secrets.ts';
import { openStormScene, paymentTimeoutMs, type StormScene } from './storm-scene.ts';
import { type Blow, digestOf, writeStormScript } from './storm-script.ts';
import { findUnforetold, foretell, type Weather } from './weather.ts';

export interface StormOptions {
  seed: number;
  orderCount: number;
  rate: number;
  /** Waiting times of minutes pass at once. */
  isHurried: boolean;
  /** A line about how far it is. */
  say(line: string): void;
}

export interface StormReport {
  digests: { script: string; faults: string };
  /** Orders by their status at the end. */
  ends: Record<string, number>;
  paid: number;
  kills: number;
  faults: Record<string, number>;
  events: number;
  refunds: number;
  capturedMinor: number;
  refundedMinor: number;
  logLines: number;
  restAfterMs: number;
  broken: string[];
  leaks: string[];
}

const botCount = 8;
/** As many customers at once as are placed between two blows, so that a blow meets orders in all states. */
const customersAtOnce = (orderCount: number) => Math.min(30, Math.max(8, Math.round(orderCount / 6)));
/** What was asked and not heard is waited for two minutes, and looked at every 15 seconds. */
const restWithinMs = 150_000;
const firstOrderNumber = 1_001;

/** Orders, customers, faults and kills by a seed; then good weather, and what it came to. */
export async function runStorm(backend: Backend, options: StormOptions): Promise<StormReport> {
  const { seed, orderCount, rate, isHurried } = options;
  const beganAt = Date.now();
  const say = (line: string) => options.say(`${((Date.now() - beganAt) / 1000).toFixed(0).padStart(4)} s  ${line}`);
  const script = writeStormScript(seed, orderCount);
  const weather: Weather = { seed, rate, delayMs: paymentTimeoutMs * 2 };
  const numbers = Array.from({ length: orderCount }, (_, index) => firstOrderNumber + index);
  const digests = { script: digestOf(script), faults: digestOf(foretell(weather, numbers)) };
  say(`seed ${seed} on ${backend}: ${orderCount} orders, script ${digests.script}, faults ${digests.faults}`);
  const scene = await openStormScene(backend);
  const watch = new OrderWatch(scene.database, 50);
  const storm = new Storm(scene, watch, say);
  const letPass = () => void letTimePass(scene).catch(() => {}); // tried again soon
  const passing = isHurried ? setInterval(letPass, 2_000) : undefined;
  try {
    for (let count = 0; count < botCount; count++) await scene.call('POST', '/v1/bots', { as: manager });
    watch.start();
    scene.sandbox.faults.storm(weather);
    await storm.rage(script.orders.map(newStory), script.blows);
    scene.sandbox.faults.clear();
    const calmAt = Date.now();
    const onLook = (reasons: readonly string[]) =>
      say(
        `good weather: ${reasons.length} not at rest${reasons
          .slice(0, 3)
          .map((reason) => `; ${reason}`)
          .join('')}`,
      );
    const facts = await untilAtRest(scene, { withinMs: restWithinMs, isHurried, onLook });
    const restAfterMs = Date.now() - calmAt;
    const met = scene.sandbox.faults.met();
    const broken = [
      ...(await findBroken(scene, facts, storm.stories)),
      ...(await findDifferences(scene, facts)),
      ...findUnforetold(weather, met),
    ];
    const payments = facts.flatMap(({ payment }) => payment ?? []);
    return {
      digests,
      ends: countBy(facts, ({ status }) => status),
      paid: facts.filter(({ ledger }) => ledger.length > 0).length,
      kills: storm.kills,
      faults: countBy(met, ({ kind }) => kind),
      events: scene.sandbox.webhooks.events().length,
      refunds: scene.sandbox.ledger.entries({ kind: 'refunded' }).length,
      capturedMinor: payments.reduce((sum, { capturedMinor }) => sum + capturedMinor, 0),
      refundedMinor: payments.reduce((sum, { refundedMinor }) => sum + refundedMinor, 0),
      logLines: scene.lines().length,
      restAfterMs,
      broken,
      leaks: findLeaks(scene.lines(), scene.secrets()),
    };
  } finally {
    clearInterval(passing);
    await watch.close();
    await storm.settle();
    await scene.close();
  }
}

class Storm {
  readonly #scene: StormScene;
  readonly #watch: OrderWatch;
  readonly #say: (line: string) => void;
  readonly #playing = new Set<Promise<void>>();
  readonly #blows = new Set<Promise<void>>();
  readonly #failures: unknown[] = [];
  stories: OrderStory[] = [];
  kills = 0;

  constructor(scene: StormScene, watch: OrderWatch, say: (line: string) => void) {
    this.#scene = scene;
    this.#watch = watch;
    this.#say = say;
  }

  async rage(stories: OrderStory[], blows: readonly Blow[]): Promise<void> {
    const due = [...blows];
    for (const story of stories) {
      while (due[0] && due[0].before <= story.script.index) this.#strike(due.shift() as Blow); // as was just seen
      await this.#place(story);
      while (this.#playing.size >= customersAtOnce(stories.length)) await Promise.race(this.#playing);
      if (this.#failures.length > 0) throw this.#failures[0];
    }
    for (const blow of due) this.#strike(blow);
    while (this.#playing.size > 0) {
      await Promise.race(this.#playing);
      this.#tell();
    }
    await Promise.all(this.#blows);
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  /** Nothing of it goes on. */
  async settle(): Promise<void> {
    await Promise.allSettled([...this.#playing, ...this.#blows]);
  }

  /** The next is placed when this one has its number, so that the same order has the same number with the same seed. */
  async #place(story: OrderStory): Promise<void> {
    const { script, key } = story;
    this.stories.push(story);
    const customer = new Customer(this.#scene, this.#watch, story);
    const placed = customer.place();
    const numbered = this.#watch
      .until(key, () => true, 60_000)
      .then((state) => {
        if (!state) throw new Error(`order ${script.index} was not placed`);
        const { outcome, provider } = script;
        const operation = outcome === 'capture_declined' ? 'capture' : 'refund';
        if (outcome) this.#scene.sandbox.faults.add({ provider, operation, kind: outcome, orderNumber: state.number });
      });
    const played = Promise.all([placed, numbered])
      .then(() => customer.play())
      .catch((error: unknown) => void this.#failures.push(error))
      .finally(() => this.#playing.delete(played));
    this.#playing.add(played);
    await Promise.race([numbered.catch(() => {}), played]);
    if (this.stories.length % 10 === 0) this.#tell();
  }

  #strike({ kind, victim }: Blow): void {
    const blow = this.#carryOut(kind, victim)
      .catch((error: unknown) => void this.#failures.push(error))
      .finally(() => this.#blows.delete(blow));
    this.#blows.add(blow);
  }

  async #carryOut(kind: Blow['kind'], victim: Blow['victim']): Promise<void> {
    if (kind === 'wipe_queues') return this.#scene.wipeQueues();
    if (kind === 'remove_bot') {
      await this.#scene.call('DELETE', '/v1/bots/newest', { as: manager });
      await this.#scene.call('POST', '/v1/bots', { as: manager });
      return;
    }
    if (victim && (await this.#scene.kill(victim))) this.kills += 1;
  }

  #tell(): void {
    const ended = this.#watch.states.filter(({ status }) => status === 'complete' || status === 'cancelled').length;
    const met = this.#scene.sandbox.faults.met().length;
    const paid = this.stories.filter((story) => story.paid.length > 0).length;
    this.#say(`${this.stories.length} placed, ${paid} paid, ${ended} ended; ${this.kills} kills, ${met} faults`);
  }
}

function countBy<Item>(items: readonly Item[], nameOf: (item: Item) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[nameOf(item)] = (counts[nameOf(item)] ?? 0) + 1;
  return counts;
}
