import { setTimeout as delay } from 'node:timers/promises';
import { isConnectionFault } from '../db/fault.ts';
import { findPayment } from '../db/payments.ts';
import {
  type FoundDifference,
  keepDifferencesOf,
  type RunCounts,
  saveDifference,
  saveRunCounts,
} from '../db/reconciliation.ts';
import type { PaymentProvider } from '../domain/payment.ts';
import type { ComparedTime } from '../domain/reconciliation.ts';
import { ProviderError, type ProviderPayment } from '../payments/payment-gateway.ts';
import { referencesOf } from './ask-provider.ts';
import type { PaymentDeps } from './payment-deps.ts';
import { settlePayment } from './settle-payment.ts';

/** So many looks that fail one after the other are the provider, and not the payments. */
const failuresInARow = 5;
const takenForMs = 5_000;
const longestPauseMs = 10_000;
const triesAtMost = 3;
const savedEveryMs = 500;

export type Look = { seen: ProviderPayment | null } | 'failed';

/** One comparison with one provider, under way: what it has counted, and its patience with the provider. */
export class ReconciliationRunWork {
  readonly id: string;
  readonly provider: PaymentProvider;
  readonly time: ComparedTime;
  readonly deps: PaymentDeps;
  readonly counts: RunCounts = { movements: 0, ofOthers: 0, compared: 0, lookedAt: 0, found: 0, resolved: 0 };
  /** Of how many payments nothing could be said. */
  undecided = 0;
  #failedLooks = 0;
  #savedAt = 0;

  constructor(
    deps: PaymentDeps,
    { id, provider, time }: { id: string; provider: PaymentProvider; time: ComparedTime },
  ) {
    this.deps = deps;
    this.id = id;
    this.provider = provider;
    this.time = time;
  }

  /** Whether it makes sense to ask the provider about one more payment. */
  get isProviderThere(): boolean {
    return this.deps.gateways[this.provider] !== undefined && this.#failedLooks < failuresInARow;
  }

  /** Does what is due about a payment, and reads it. `failed`: the provider did not say, so nothing can be said of this payment now. */
  async lookAgain(paymentId: string): Promise<Look> {
    this.counts.lookedAt += 1;
    try {
      await this.patiently(() => this.#settle(paymentId));
      const payment = await findPayment(this.deps.pool, paymentId);
      const references = payment && referencesOf(payment);
      const gateway = this.deps.gateways[this.provider];
      const seen = references && gateway ? await this.patiently(() => gateway.read(references)) : null;
      this.#failedLooks = 0;
      return { seen };
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      this.#failedLooks += 1;
      this.undecided += 1;
      this.deps.log.warn({ provider: this.provider, paymentId, code: error.code }, 'payment could not be looked at');
      await keepDifferencesOf(this.deps.pool, this.id, paymentId);
      return 'failed';
    } finally {
      await this.saveCountsNowAndThen();
    }
  }

  async #settle(paymentId: string): Promise<void> {
    const giveUpAt = Date.now() + takenForMs;
    try {
      while ((await settlePayment(this.deps, paymentId)) === 'taken' && Date.now() < giveUpAt) await delay(100);
    } catch (error) {
      if (error instanceof ProviderError || isConnectionFault(error)) throw error;
      // One that needs somebody to look is what is looked for here.
      this.deps.log.info({ paymentId, error: (error as Error).message }, 'payment did not settle');
    }
  }

  /** Asks again where that may help; a run is long, and a moment's trouble is no reason to begin it anew. */
  async patiently<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await ask();
      } catch (error) {
        const mayPass = error instanceof ProviderError && (error.kind === 'unknown' || error.kind === 'busy');
        if (!mayPass || tries === triesAtMost) throw error;
        const pauseMs = error.retryAfterMs ?? tries * 500;
        if (pauseMs > longestPauseMs) throw error;
        await delay(pauseMs);
      }
    }
  }

  async write(found: FoundDifference): Promise<void> {
    await saveDifference(this.deps.pool, this, found);
    this.counts.found += 1;
  }

  async saveCountsNowAndThen(): Promise<void> {
    if (Date.now() - this.#savedAt >= savedEveryMs) await this.saveCounts();
  }

  async saveCounts(): Promise<void> {
    this.#savedAt = Date.now();
    await saveRunCounts(this.deps.pool, this.id, this.counts);
  }
}
