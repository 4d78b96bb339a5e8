import Stripe from 'stripe';
import type { PaymentOperationType } from '../domain/payment.ts';
import {
  type Checkout,
  type CheckoutRequest,
  type PaymentGateway,
  type PaymentReferences,
  ProviderError,
} from './payment-gateway.ts';
import { toStripe, whyNotPayable } from './provider-amounts.ts';
import { openStripeClient, type StripeAccess } from './stripe-client.ts';
import { listMissedStripeEvents, readStripeEvent } from './stripe-events.ts';
import { listStripeMovements } from './stripe-movements.ts';
import { readStripePayment, toProviderPayment } from './stripe-payment.ts';

export interface StripeGatewayOptions extends StripeAccess {
  webhookSecret: string;
}

const dayMs = 86_400_000;
const keyLifeMs: Record<PaymentOperationType, number> = {
  checkout: dayMs,
  expire: dayMs,
  authorise: dayMs,
  reauthorise: dayMs,
  capture: dayMs,
  void: dayMs,
  refund: dayMs,
};

/**
 * Stripe's Checkout: the customer pays on its page, which takes the hold. The payment is a session (`cs_…`), within it an intent
 * (`pi_…`) that is there from the first try on, and its charge (`ch_…`).
 */
export function createStripeGateway(options: StripeGatewayOptions): PaymentGateway & { close(): void } {
  const client = openStripeClient(options);
  return {
    provider: 'stripe',
    keyLifeMs,
    canExpireCheckout: true,
    canReauthorise: false,
    whyNotPayable: (amount) => whyNotPayable('stripe', amount),

    async createCheckout(request) {
      const session = sessionFor(request);
      const options = { idempotencyKey: request.idempotencyKey };
      return await client.ask('Opening a checkout', async (stripe) => {
        let refusal: unknown;
        for (const expires_at of expiriesToTry(request.expiresAt)) {
          try {
            return checkoutFrom(await stripe.checkout.sessions.create({ ...session, expires_at }, options));
          } catch (error) {
            if (!(error instanceof Stripe.errors.StripeIdempotencyError)) throw error;
            refusal = error;
          }
        }
        throw refusal;
      });
    },
    async read(references) {
      return await client.ask('Reading a payment', async (stripe) =>
        toProviderPayment(await readStripePayment(stripe, references)),
      );
    },
    async expireCheckout({ checkout }, idempotencyKey) {
      await client.ask('Expiring a checkout', (stripe) =>
        stripe.checkout.sessions.expire(checkout, {}, { idempotencyKey }),
      );
    },
    async authorise() {
      throw noSuchStep('takes the hold when the customer pays');
    },
    async reauthorise() {
      throw noSuchStep('renews no hold');
    },
    async capture(references, amount, idempotencyKey) {
      const asked = { amount_to_capture: toStripe(amount) };
      await client.ask('Capturing', (stripe) =>
        stripe.paymentIntents.capture(intentOf(references), asked, { idempotencyKey }),
      );
    },
    async void(references, idempotencyKey) {
      await client.ask('Voiding', (stripe) =>
        stripe.paymentIntents.cancel(intentOf(references), {}, { idempotencyKey }),
      );
    },
    async refund(references, { operationId, amount }, idempotencyKey) {
      const asked = { payment_intent: intentOf(references), amount: toStripe(amount), metadata: { operationId } };
      await client.ask('Refunding', (stripe) => stripe.refunds.create(asked, { idempotencyKey }));
    },

    readEvent: async (rawBody, headers) => readStripeEvent(rawBody, headers, options.webhookSecret),
    listMissedEvents: (since) => listMissedStripeEvents(client, since),
    listMovements: (from, to) => listStripeMovements(client, from, to),
    close: () => client.close(),
  };
}

function sessionFor(request: CheckoutRequest): Stripe.Checkout.SessionCreateParams {
  const { paymentId, orderNumber, amount } = request;
  const metadata = { paymentId, orderNumber: String(orderNumber) };
  const name = `Order ${orderNumber}`;
  return {
    mode: 'payment',
    client_reference_id: paymentId,
    line_items: [
      {
        quantity: 1,
        price_data: {
          currency: amount.currency.toLowerCase(),
          unit_amount: toStripe(amount),
          product_data: { name },
        },
      },
    ],
    metadata,
    payment_intent_data: { capture_method: 'manual', description: name, metadata },
    adaptive_pricing: { enabled: false }, // nobody pays in a currency other than ours
    success_url: request.successUrl,
    cancel_url: request.cancelUrl,
  };
}

const shortestMs = 30 * 60_000;
const longestMs = dayMs;
const stepMs = 10 * 60_000;

/**
 * Stripe takes 30 minutes to 24 hours from the moment it makes the session. What is nearer or further is set to a tenth minute of the
 * clock within that: a key's second request must say what its first said, and one soon after does. One that comes when the time left
 * has become too short says it as it was, where Stripe turns out to know the key.
 */
function expiriesToTry(expiresAt: Date): number[] {
  const now = Date.now();
  const slackMs = 30_000; // on the way there, and between the clocks
  const earliest = now + shortestMs + slackMs;
  const latest = now + longestMs - slackMs;
  const askedMs = expiresAt.getTime();
  const asked = Math.floor(askedMs / 1_000);
  if (askedMs < earliest) return [(Math.ceil(earliest / stepMs) * stepMs) / 1_000, asked];
  if (askedMs > latest) return [(Math.floor(latest / stepMs) * stepMs) / 1_000, asked];
  return [asked];
}

function checkoutFrom({ id, url, expires_at }: Stripe.Checkout.Session): Checkout {
  if (typeof url !== 'string') throw new TypeError('Stripe answered with a session that has no address');
  return { reference: id, url, expiresAt: new Date(expires_at * 1_000) };
}

function intentOf({ authorisation }: PaymentReferences): string {
  if (authorisation !== null) return authorisation;
  throw new ProviderError('wrong_state', 'no_payment_intent', 'there is no PaymentIntent yet');
}

function noSuchStep(reason: string): ProviderError {
  return new ProviderError('refused', 'no_such_step', `Stripe ${reason}`);
}
