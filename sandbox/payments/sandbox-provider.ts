import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Answer, ProviderName, TroubleAnswers } from './answer.ts';
import type { SandboxFaults } from './faults.ts';
import type { IdempotencyKeys } from './idempotency.ts';
import type { SandboxLedger } from './ledger.ts';
import type { SandboxClock } from './sandbox-clock.ts';
import type { SandboxIds } from './sandbox-ids.ts';
import type { SandboxStore } from './sandbox-store.ts';
import type { WebhookSender } from './webhook-sender.ts';

export type { Answer, TroubleAnswers } from './answer.ts';

/** What a provider's part of the sandbox is built on. */
export interface SandboxContext {
  clock: SandboxClock;
  faults: SandboxFaults;
  webhooks: WebhookSender;
  ledger: SandboxLedger;
  idempotency: IdempotencyKeys;
  ids: SandboxIds;
  store: SandboxStore;
  /** `http://127.0.0.1:4010`, known once it listens. */
  baseUrl(): string;
  log(line: Record<string, unknown>, message: string): void;
}

export interface CheckoutDescription {
  reference: string;
  orderNumber: number | null;
  amountText: string;
  /** Complete URLs, with whatever the provider adds to them. */
  successUrl: string;
  cancelUrl: string;
  state: 'open' | 'approved' | 'complete' | 'expired';
}

/**
 * Made by `createStripeProvider(context, keys)` and `createPayPalProvider(context, keys)` (`paypal/paypal-provider.ts`), which also
 * give the sender their `WebhookSigner`.
 */
export interface SandboxProvider {
  readonly name: ProviderName;
  /** The environment names that send an engine here. Read once it listens. */
  settings(): Record<string, string>;
  readonly trouble: TroubleAnswers;
  routes(app: FastifyInstance, context: SandboxContext): void;
  /** What the customer does. Each throws a `CheckoutClosedError` where the page would not let them. */
  pay(reference: string): void;
  decline(reference: string): void;
  cancel(reference: string): void;
  describeCheckout(reference: string): CheckoutDescription | null;
  openCheckouts(): CheckoutDescription[];
  /** Lets everything go whose time is over, with its events. */
  tick(): void;
  /** The answer to a path that is this provider's and does not exist; null when it is another's. */
  unknownRoute?(request: FastifyRequest): Answer | null;
}

export class CheckoutClosedError extends Error {
  constructor(reference: string, state: string) {
    super(`checkout ${reference} is ${state}`);
    this.name = 'CheckoutClosedError';
  }
}
