import Stripe from 'stripe';
import type { PaymentSandbox } from '../payment-sandbox.ts';

/** A shop that is paid through Stripe's own library, as the tests of the sandbox need one. */
export interface StripeShop {
  stripe: Stripe;
  /** An open checkout of 12.50 EUR that holds the money, unless it is said otherwise. */
  checkout(wanted?: CheckoutWanted): Promise<Stripe.Checkout.Session>;
  /** A hold on it. */
  hold(wanted?: CheckoutWanted): Promise<Stripe.PaymentIntent>;
  intentOf(sessionId: string): Promise<Stripe.PaymentIntent>;
}

export interface CheckoutWanted {
  orderNumber?: number;
  amount?: number;
  currency?: string;
  expiresInS?: number;
  idempotencyKey?: string;
}

export function openStripeShop(sandbox: PaymentSandbox, { timeoutMs = 5_000 } = {}): StripeShop {
  const { hostname, port } = new URL(sandbox.url);
  const stripe = new Stripe(sandbox.settings.STRIPE_SECRET_KEY ?? '', {
    host: hostname,
    port,
    protocol: 'http',
    maxNetworkRetries: 0,
    timeout: timeoutMs,
    telemetry: false,
  });
  let orderNumber = 1000;
  const checkout = (wanted: CheckoutWanted = {}) => {
    orderNumber++;
    const metadata = { paymentId: crypto.randomUUID(), orderNumber: String(wanted.orderNumber ?? orderNumber) };
    return stripe.checkout.sessions.create(
      {
        mode: 'payment',
        line_items: [
          {
            quantity: 1,
            price_data: {
              currency: wanted.currency ?? 'eur',
              unit_amount: wanted.amount ?? 1250,
              product_data: { name: `Order ${metadata.orderNumber}` },
            },
          },
        ],
        payment_intent_data: { capture_method: 'manual', metadata },
        metadata,
        expires_at: Math.floor(Date.now() / 1000) + (wanted.expiresInS ?? 3600),
        success_url: 'http://shop.test/paid?session={CHECKOUT_SESSION_ID}',
        cancel_url: 'http://shop.test/back',
      },
      wanted.idempotencyKey === undefined ? {} : { idempotencyKey: wanted.idempotencyKey },
    );
  };
  const intentOf = async (sessionId: string) => {
    const session = await stripe.checkout.sessions.retrieve(sessionId, { expand: ['payment_intent.latest_charge'] });
    if (session.payment_intent === null || typeof session.payment_intent === 'string')
      throw new Error(`${sessionId} has no intent`);
    return session.payment_intent;
  };
  return {
    stripe,
    checkout,
    intentOf,
    hold: async (wanted) => {
      const { id } = await checkout(wanted);
      sandbox.pay(id);
      return intentOf(id);
    },
  };
}
