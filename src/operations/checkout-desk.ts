import { setTimeout as delay } from 'node:timers/promises';
import { findPaymentOfOrder } from '../db/payments.ts';
import { askForLook } from './ask-for-look.ts';
import type { PaymentDeps } from './payment-deps.ts';
import { settlePayment } from './settle-payment.ts';

/** A customer waits no longer for a provider than this; the checkout is opened all the same. */
const patienceMs = 3_000;
const lookAgainMs = 100;

/** Opens checkouts for customers who wait for them. */
export class CheckoutDesk {
  readonly #deps: PaymentDeps;
  readonly #underWay = new Set<Promise<void>>();

  constructor(deps: PaymentDeps) {
    this.#deps = deps;
  }

  /**
   * Comes back when the payment of the order has a checkout, or after some seconds without: then the work goes on, here or by a job.
   * Throws nothing that a provider does.
   */
  async open(payment: { id: string; orderNumber: number }, options: { wantsCheckout: boolean }): Promise<void> {
    const giveUpAt = Date.now() + patienceMs;
    const waiting = new AbortController();
    const settling = this.#settle(payment, options, giveUpAt).finally(() => waiting.abort());
    this.#underWay.add(settling);
    void settling.finally(() => this.#underWay.delete(settling));
    await delay(patienceMs, undefined, { signal: waiting.signal }).catch(() => undefined); // it was done sooner
  }

  /** When everything that was begun has ended. */
  async settle(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #settle(
    payment: { id: string; orderNumber: number },
    options: { wantsCheckout: boolean },
    giveUpAt: number,
  ): Promise<void> {
    const { pool, log } = this.#deps;
    try {
      while ((await settlePayment(this.#deps, payment.id, options)) === 'taken' && Date.now() < giveUpAt) {
        await delay(lookAgainMs);
        const now = await findPaymentOfOrder(pool, payment.orderNumber);
        if (now?.checkoutUrl && !options.wantsCheckout) return;
      }
    } catch (error) {
      log.warn({ orderNumber: payment.orderNumber, error: (error as Error).message }, 'checkout left to a job');
      await this.#leaveToJob(payment.id);
    }
  }

  async #leaveToJob(paymentId: string): Promise<void> {
    const { pool, wakeRelay, log } = this.#deps;
    try {
      await pool.transaction((transaction) => askForLook(transaction, paymentId));
      wakeRelay();
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'checkout left to the janitor');
    }
  }
}
