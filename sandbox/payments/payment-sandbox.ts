import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyInstance } from 'fastify';
import qs from 'qs';
import type { ProviderName } from './answer.ts';
import { checkoutRoutes } from './checkout-page.ts';
import { controlRoutes } from './control-routes.ts';
import { SandboxFaults, send } from './faults.ts';
import { IdempotencyKeys } from './idempotency.ts';
import { SandboxLedger } from './ledger.ts';
import { overviewRoutes } from './overview-page.ts';
import { createPayPalProvider } from './paypal/paypal-provider.ts';
import { SandboxClock } from './sandbox-clock.ts';
import { SandboxIds } from './sandbox-ids.ts';
import { defaultKeys, type SandboxKeys } from './sandbox-keys.ts';
import { CheckoutClosedError, type SandboxContext, type SandboxProvider } from './sandbox-provider.ts';
import { SandboxStore } from './sandbox-store.ts';
import { createStripeProvider } from './stripe/stripe-provider.ts';
import { WebhookSender } from './webhook-sender.ts';

export interface PaymentSandboxOptions {
  /** 0, the default: any free one. */
  port?: number;
  host?: string;
  /** Where its state outlives it; without, it begins anew each time. */
  dataFile?: string;
  /** Of the ids it makes up. Without, no two sandboxes ever make up the same. */
  seed?: string;
  webhookUrls?: Partial<Record<ProviderName, string>>;
  keys?: Partial<SandboxKeys>;
  /** How long a card at Stripe holds; a week when it is not said. */
  stripeHoldMs?: number;
  log?: SandboxContext['log'];
}

export interface PaymentSandbox {
  url: string;
  /** The environment names that send an engine here. */
  settings: Record<string, string>;
  clock: SandboxClock;
  faults: SandboxFaults;
  webhooks: WebhookSender;
  ledger: SandboxLedger;
  /** What the customer of a checkout does, by its `cs_…` or its order id. */
  pay(reference: string): void;
  decline(reference: string): void;
  cancel(reference: string): void;
  sendTo(urls: Partial<Record<ProviderName, string>>): void;
  close(): Promise<void>;
}

const tickEveryMs = 250;

/** Stripe and PayPal over their real wire, on one port: `/v1` and `/v2` are theirs, `/sandbox` is ours. */
export async function startPaymentSandbox(options: PaymentSandboxOptions = {}): Promise<PaymentSandbox> {
  const log = options.log ?? (() => {});
  const store = new SandboxStore(options.dataFile ?? null);
  const clockState = store.collection<number>('clock');
  const clock = new SandboxClock(clockState.get('aheadMs'), () => {
    clockState.set('aheadMs', clock.aheadMs);
    tick();
  });
  const idempotency = new IdempotencyKeys(clock, store);
  const faults = new SandboxFaults(idempotency);
  const webhooks = new WebhookSender({ clock, store, faults, log });
  const ledger = new SandboxLedger(store);
  const ids = new SandboxIds(options.seed ?? randomUUID(), store);
  let url = '';
  const context: SandboxContext = {
    clock,
    faults,
    webhooks,
    ledger,
    idempotency,
    ids,
    store,
    baseUrl: () => url,
    log,
  };
  const keys = { ...defaultKeys, ...options.keys };
  // an unknown path below /v1 is Stripe's when it is not PayPal's
  const providers: SandboxProvider[] = [
    createPayPalProvider(context, keys),
    createStripeProvider(context, keys, { holdMs: options.stripeHoldMs }),
  ];
  const tick = () => {
    for (const provider of providers) provider.tick();
  };

  const app = await buildApp(context, providers);
  url = await app.listen({ port: options.port ?? 0, host: options.host ?? '127.0.0.1' });
  if (options.webhookUrls) webhooks.sendTo(options.webhookUrls);
  webhooks.resume();
  const timer = setInterval(tick, tickEveryMs); // time passes without our moving it, too
  timer.unref();

  const owner = (reference: string): SandboxProvider => {
    const provider = providers.find((each) => each.describeCheckout(reference) !== null);
    if (!provider) throw new CheckoutClosedError(reference, 'unknown');
    return provider;
  };
  return {
    url,
    settings: Object.assign({}, ...providers.map((provider) => provider.settings())),
    clock,
    faults,
    webhooks,
    ledger,
    pay: (reference) => owner(reference).pay(reference),
    decline: (reference) => owner(reference).decline(reference),
    cancel: (reference) => owner(reference).cancel(reference),
    sendTo: (urls) => webhooks.sendTo(urls),
    close: async () => {
      clearInterval(timer);
      faults.close();
      webhooks.close();
      await app.close();
      store.close();
    },
  };
}

async function buildApp(context: SandboxContext, providers: readonly SandboxProvider[]): Promise<FastifyInstance> {
  const app = Fastify({ forceCloseConnections: true, routerOptions: { maxParamLength: 200 } });
  app.removeContentTypeParser('application/x-www-form-urlencoded');
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_, body, done) =>
    done(null, qs.parse(String(body), { depth: 10, arrayLimit: 100, allowEmptyArrays: true })),
  );
  for (const provider of providers) {
    await app.register(async (scope) => provider.routes(scope, context));
  }
  await app.register(async (scope) => checkoutRoutes(scope, providers));
  await app.register(async (scope) => overviewRoutes(scope, context.ledger, providers));
  await app.register(async (scope) => controlRoutes(scope, context, providers));
  app.setNotFoundHandler((request, reply) => {
    for (const provider of providers) {
      const answer = provider.unknownRoute?.(request) ?? null;
      if (answer) return send(reply, answer);
    }
    return reply.status(404).send({ error: 'not a path of the sandbox' });
  });
  return app;
}
