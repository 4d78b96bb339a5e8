import { randomUUID } from 'node:crypto';
import type { FastifyError, FastifyInstance } from 'fastify';
import { send } from '../faults.ts';
import type { SandboxKeys } from '../sandbox-keys.ts';
import {
  CheckoutClosedError,
  type CheckoutDescription,
  type SandboxContext,
  type SandboxProvider,
} from '../sandbox-provider.ts';
import { openAccount } from './paypal-account.ts';
import { paypalTrouble, refusalAnswer } from './paypal-answers.ts';
import { expireIfDue } from './paypal-authorisations.ts';
import { settleCaptureIfDue, settleRefundIfDue } from './paypal-captures.ts';
import { announceEvent } from './paypal-events.ts';
import { paypalControlRoutes, paypalNotificationRoutes, paypalTokenRoutes } from './paypal-notification-routes.ts';
import { openObjects, orderNumberOf, type PayPalOrder } from './paypal-objects.ts';
import { approveOrder, pageOf } from './paypal-orders.ts';
import { readJson } from './paypal-postback.ts';
import { PayPalRefusal } from './paypal-refusal.ts';
import { checkoutOf, type Wire } from './paypal-representations.ts';
import { paypalRoutes } from './paypal-routes.ts';
import { PayPalCertificates } from './paypal-signature.ts';
import { PayPalTokens } from './paypal-tokens.ts';

/** PayPal as the engine meets it: OAuth, Orders v2, Payments v2, webhooks and the transaction search. */
export function createPayPalProvider(context: SandboxContext, keys: SandboxKeys): SandboxProvider {
  const { clock, baseUrl } = context;
  const objects = openObjects(context.store);
  const certificates = new PayPalCertificates(context.store);
  const tokens = new PayPalTokens(keys, context.store);
  const account = openAccount(context, objects, {
    announce: (type, source) => announceEvent(context, wire, type, source),
    takeOutcome: (operation, orderId) => {
      const order = objects.orders.get(orderId);
      return context.faults.takeOutcome({ provider, operation, orderNumber: order ? orderNumberOf(order) : null });
    },
  });
  // to the second, as PayPal does
  const time = (ms: number) =>
    clock
      .toWire(ms)
      .toISOString()
      .replace(/\.\d+Z$/, 'Z');
  const wire: Wire = { account, baseUrl, time };

  context.webhooks.signWith('paypal', ({ body }) =>
    certificates.sign(
      { id: randomUUID(), time: new Date().toISOString(), webhookId: keys.paypalWebhookId, body },
      baseUrl(),
    ),
  );

  const describe = (order: PayPalOrder): CheckoutDescription => ({
    ...checkoutOf(order),
    state: pageOf(account, order),
  });
  const provider: SandboxProvider = {
    name: 'paypal',
    trouble: paypalTrouble,
    settings: () => ({
      PAYPAL_CLIENT_ID: keys.paypalClientId,
      PAYPAL_CLIENT_SECRET: keys.paypalClientSecret,
      PAYPAL_WEBHOOK_ID: keys.paypalWebhookId,
      PAYPAL_API_BASE: baseUrl(),
    }),
    routes: (app) => {
      const deps = { context, provider, account, wire, tokens };
      readAsPayPal(app);
      app.addHook('onReady', () => certificates.prepare());
      paypalTokenRoutes(app, deps);
      paypalRoutes(app, deps);
      paypalNotificationRoutes(app, deps, certificates);
      paypalControlRoutes(app, deps, certificates);
    },
    pay: (reference) => void approveOrder(account, reference, { declining: false }),
    // PayPal's customer approves first; what they chose is declined when we ask for it
    decline: (reference) => void approveOrder(account, reference, { declining: true }),
    cancel: (reference) => {
      const order = objects.orders.get(reference);
      const state = order ? pageOf(account, order) : 'unknown';
      if (state !== 'open') throw new CheckoutClosedError(reference, state);
    },
    describeCheckout: (reference) => {
      const order = objects.orders.get(reference);
      return order ? describe(order) : null;
    },
    openCheckouts: () => [...objects.orders.values()].map(describe).filter(({ state }) => state === 'open'),
    tick: () => {
      for (const authorisation of objects.authorisations.values()) expireIfDue(account, authorisation);
      for (const capture of objects.captures.values()) settleCaptureIfDue(account, capture);
      for (const refund of objects.refunds.values()) settleRefundIfDue(account, refund);
    },
    unknownRoute: ({ url }) =>
      /^\/(v2\/|v1\/(oauth2|notifications|reporting)\/)/.test(url)
        ? refusalAnswer(new PayPalRefusal(404, 'RESOURCE_NOT_FOUND', null))
        : null,
  };
  return provider;
}

/** Bodies are kept as text beside what they say, and every fault of a request has PayPal's envelope. */
function readAsPayPal(app: FastifyInstance): void {
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_, body, done) => {
    try {
      done(null, readJson(String(body)));
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  });
  app.setErrorHandler<FastifyError>((error, _, reply) => {
    if (error instanceof PayPalRefusal) return send(reply, refusalAnswer(error));
    const isOurs = (error.statusCode ?? 500) >= 500;
    if (isOurs) console.error(error); // a fault of the sandbox itself, not one that it plays
    return send(
      reply,
      isOurs ? paypalTrouble.failed() : refusalAnswer(new PayPalRefusal(400, 'INVALID_REQUEST', error.code)),
    );
  });
}
