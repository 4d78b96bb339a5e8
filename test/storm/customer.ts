import { setTimeout as delay } from 'node:timers/promises';
import type { Order } from '../../src/domain/order.ts';
import { manager, normal, type Problem, vip } from '../support/api.ts';
import { isOver, type OrderWatch } from './order-watch.ts';
import type { StormScene } from './storm-scene.ts';
import type { OrderScript } from './storm-script.ts';

/** What was done about an order, to be held against what came of it. */
export interface OrderStory {
  script: OrderScript;
  key: string;
  number: number | null;
  /** The checkouts that were paid, as far as the provider took it. */
  paid: string[];
  /** Refunds that were answered with 201, by their ids. */
  refundsTaken: { id: string; amountMinor: number }[];
  /** Refunds of which nobody knows whether they were heard. */
  refundsUnheard: number;
  cancelled: boolean;
  /** The order was cancelled before the customer paid at a page that was still open. */
  paidAfterCancel: boolean;
}

/** Longer than it takes until a payment is looked at of which nothing was heard. */
const patienceMs = 50_000;
/** As long after the checkout was left, whoever waits for what comes after a payment stops waiting. */
const unpaidMs = 3_000;
const keyOf = (script: OrderScript) => `storm-${script.index}`;

export const newStory = (script: OrderScript): OrderStory => ({
  script,
  key: keyOf(script),
  number: null,
  paid: [],
  refundsTaken: [],
  refundsUnheard: 0,
  cancelled: false,
  paidAfterCancel: false,
});

/** Plays the customer of one order, and the manager as far as the order concerns them. */
export class Customer {
  readonly #scene: StormScene;
  readonly #watch: OrderWatch;
  readonly story: OrderStory;
  /** Nobody paid, and nothing that waits for that comes any more. */
  #isUnpaid = false;

  constructor(scene: StormScene, watch: OrderWatch, story: OrderStory) {
    this.#scene = scene;
    this.#watch = watch;
    this.story = story;
  }

  /** Repeats the request with its key until it is answered. */
  async place(): Promise<void> {
    const { script, key } = this.story;
    const { provider, sku, quantity, note } = script;
    const { status, body } = await this.#scene.call<{ order: Order } & Problem>('POST', '/v1/orders', {
      as: this.#owner,
      headers: { 'idempotency-key': key },
      body: { items: [{ sku, quantity }], payment: { method: provider }, note },
    });
    if (status !== 201 && status !== 200) throw new Error(`order ${script.index}: ${status} ${body.code}`);
    this.story.number = body.order.number;
  }

  /** Everything after the order is placed. */
  async play(): Promise<void> {
    const paying = this.#pay().then(async () => {
      if (this.story.paid.length > 0) return;
      await delay(unpaidMs);
      this.#isUnpaid = true;
    });
    await Promise.all([paying, this.#cancel(), this.#heedFailure()]);
    await this.#askForRefunds();
  }

  get #owner(): string {
    return this.story.script.lane === 'vip' ? vip : normal;
  }

  async #pay(): Promise<void> {
    const { paying, payAfterMs } = this.story.script;
    if (paying === 'after_cancel')
      this.story.paidAfterCancel = (await this.#until(({ status }) => status === 'cancelled', 5_000)) !== undefined;
    await delay(payAfterMs);
    const url = await this.#checkoutUrl();
    if (!url) return; // it was over before it could be paid
    const reference = decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '');
    const { sandbox, database } = this.#scene;
    switch (paying) {
      case 'leave':
        break;
      case 'decline':
        this.#atProvider(() => sandbox.decline(reference));
        break;
      case 'decline_then_pay':
        this.#atProvider(() => sandbox.decline(reference));
        await delay(payAfterMs);
        this.#payAt(reference);
        break;
      case 'two_tabs':
        this.#payAt(reference);
        this.#payAt(reference);
        await this.#comeBack('success');
        break;
      case 'reopen': {
        // As if the customer had come back to the shop when the checkout was over, with its page still open.
        await database.query('UPDATE payments SET checkout_expires_at = now() WHERE order_number = $1', [this.#number]);
        const other = await this.#checkoutUrl({ isAskedAnew: true });
        this.#payAt(reference);
        if (other) this.#payAt(decodeURIComponent(new URL(other).pathname.split('/').at(-1) ?? ''));
        break;
      }
      default:
        this.#payAt(reference);
    }
    const { page, times } = this.story.script.returns;
    for (let time = 0; time < times; time++) await this.#comeBack(page);
  }

  async #comeBack(page: 'success' | 'cancel'): Promise<void> {
    await this.#scene.callOnce('GET', `/v1/checkout/${page}?order=${this.#number}`);
  }

  #payAt(reference: string): void {
    if (this.#atProvider(() => this.#scene.sandbox.pay(reference))) this.story.paid.push(reference);
  }

  /** False when the provider does not let the customer: its page says so. */
  #atProvider(action: () => void): boolean {
    try {
      action();
      return true;
    } catch {
      return false;
    }
  }

  /** Where to pay: also of an order that has been cancelled meanwhile, whose page is still open in the customer's browser. */
  async #checkoutUrl({ isAskedAnew = false } = {}): Promise<string | null> {
    const known = await this.#until(
      ({ checkoutUrl, status }) => checkoutUrl !== null || status !== 'awaiting_payment',
      1_000,
    );
    if (known?.checkoutUrl && !isAskedAnew) return known.checkoutUrl;
    for (let asked = 0; asked < 20; asked++) {
      const answer = await this.#scene.callOnce<{ checkoutUrl: string }>(
        'POST',
        `/v1/orders/${this.#number}/checkout`,
        {
          as: this.#owner,
          body: {},
        },
      );
      if (answer?.status === 200) return answer.body.checkoutUrl;
      if (answer && answer.status < 500) return null;
      await delay(300);
    }
    const late = await this.#until(({ checkoutUrl }) => checkoutUrl !== null, patienceMs);
    return late?.checkoutUrl ?? null;
  }

  async #cancel(): Promise<void> {
    const { cancel } = this.story.script;
    if (!cancel) return;
    const isThere = await this.#until(
      (state) => state.status === cancel.at || isOver(state) || this.#isUnpaid,
      patienceMs,
    );
    if (!isThere) return;
    await delay(cancel.afterMs);
    await this.#cancelNow(cancel.by === 'owner' ? this.#owner : manager);
  }

  async #cancelNow(as: string): Promise<void> {
    const { status } = await this.#scene.call('POST', `/v1/orders/${this.#number}/cancel`, { as, body: {} });
    if (status === 200) this.story.cancelled = true;
  }

  /** What the script leaves to no manager stays failed: with its hold, until somebody decides. */
  async #heedFailure(): Promise<void> {
    const { note, afterFailure, cancel } = this.story.script;
    if (note !== 'refuses' || cancel?.at === 'failed' || afterFailure === 'leave') return;
    const failed = await this.#until(
      (state) => state.status === 'failed' || isOver(state) || this.#isUnpaid,
      patienceMs,
    );
    if (failed?.status !== 'failed') return;
    if (afterFailure === 'cancel') return this.#cancelNow(manager);
    await this.#scene.call('POST', `/v1/orders/${this.#number}/retry`, { as: manager, body: {} });
  }

  async #askForRefunds(): Promise<void> {
    const { refunds, outcome } = this.story.script;
    if (refunds.length === 0 || outcome === 'capture_declined') return;
    const captured = await this.#until(
      ({ status, paymentStatus }) =>
        paymentStatus === 'captured' || status === 'cancelled' || status === 'failed' || this.#isUnpaid,
      patienceMs,
    );
    if (captured?.paymentStatus !== 'captured') return;
    await Promise.all(refunds.map((amountMinor) => this.#refund(amountMinor)));
  }

  async #refund(amountMinor: number | null): Promise<void> {
    const answer = await this.#scene.callOnce<{ refund: { id: string; amount: { amountMinor: number } } }>(
      'POST',
      `/v1/orders/${this.#number}/refunds`,
      { as: manager, body: amountMinor === null ? {} : { amount: { amountMinor, currency: 'EUR' } } },
    );
    if (answer?.status === 201)
      this.story.refundsTaken.push({ id: answer.body.refund.id, amountMinor: answer.body.refund.amount.amountMinor });
    if (!answer) this.story.refundsUnheard += 1;
  }

  get #number(): number {
    return this.story.number ?? 0;
  }

  #until(isSo: Parameters<OrderWatch['until']>[1], withinMs: number) {
    return this.#watch.until(this.story.key, isSo, withinMs);
  }
}
