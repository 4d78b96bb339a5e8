import type { SandboxKeys } from '../sandbox-keys.ts';
import type { CheckoutDescription, SandboxContext, SandboxProvider } from '../sandbox-provider.ts';
import { orderNumberOf, StripeBooks } from './stripe-books.ts';
import { declineCheckout, findSession, leaveCheckout, payCheckout } from './stripe-checkouts.ts';
import { amountText } from './stripe-currency.ts';
import { findIntent, settleRefund } from './stripe-payments.ts';
import type { SessionRecord } from './stripe-records.ts';
import { stripeTrouble } from './stripe-refusal.ts';
import { stripeRoutes } from './stripe-routes.ts';
import { stripeSigner } from './stripe-signature.ts';

/** Most cards hold for a week. */
const usualHoldMs = 7 * 24 * 3600 * 1000;

export function createStripeProvider(
  context: SandboxContext,
  keys: SandboxKeys,
  { holdMs = usualHoldMs }: { holdMs?: number | undefined } = {},
): SandboxProvider {
  const books = new StripeBooks(context, holdMs);
  context.webhooks.signWith('stripe', stripeSigner(keys.stripeWebhookSecret));
  return {
    name: 'stripe',
    settings: () => ({
      STRIPE_SECRET_KEY: keys.stripeSecretKey,
      STRIPE_WEBHOOK_SECRET: keys.stripeWebhookSecret,
      STRIPE_API_BASE: context.baseUrl(),
    }),
    trouble: stripeTrouble,
    routes: (app) => stripeRoutes(app, books, keys),
    pay: (reference) => payCheckout(books, reference),
    decline: (reference) => declineCheckout(books, reference),
    cancel: (reference) => leaveCheckout(books, reference),
    describeCheckout: (reference) => {
      const session = findSession(books, reference);
      return session && describe(session);
    },
    openCheckouts: () => [...books.sessions.values()].filter(({ status }) => status === 'open').map(describe),
    tick: () => {
      for (const session of books.sessions.values()) if (session.status === 'open') findSession(books, session.id);
      for (const intent of books.intents.values())
        if (intent.status === 'requires_capture') findIntent(books, intent.id);
      for (const refund of books.refunds.values()) if (refund.ends) settleRefund(books, refund);
    },
    unknownRoute: ({ method, url }) =>
      url.startsWith('/v1/')
        ? {
            status: 404,
            body: {
              error: {
                type: 'invalid_request_error',
                message: `Unrecognized request URL (${method}: ${url.split('?')[0]}).`,
              },
            },
          }
        : null,
  };
}

function describe(session: SessionRecord): CheckoutDescription {
  return {
    reference: session.id,
    orderNumber: orderNumberOf(session.metadata),
    amountText: amountText(session.amount, session.currency),
    successUrl: session.successUrl.replaceAll('{CHECKOUT_SESSION_ID}', session.id),
    cancelUrl: session.cancelUrl ?? session.successUrl,
    state: session.status,
  };
}
