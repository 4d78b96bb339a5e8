import { z } from 'zod';
import { atLeast, cronTimes, durationWithin, oneOf, port, webAddress } from './config-values.ts';

const apiBase = webAddress.refine((text) => new URL(text).pathname === '/', 'takes an address without a path');

/** The environment names of payments. */
export const paymentVariables = {
  PUBLIC_URL: webAddress.optional(),
  STRIPE_SECRET_KEY: z
    .string()
    .regex(/^(sk|rk)_/, 'takes a secret key, sk_… or rk_…')
    .optional(),
  STRIPE_WEBHOOK_SECRET: z
    .string()
    .regex(/^whsec_/, 'takes the signing secret of the endpoint, whsec_…')
    .optional(),
  STRIPE_SUCCESS_URL: webAddress.optional(),
  STRIPE_CANCEL_URL: webAddress.optional(),
  STRIPE_API_BASE: apiBase.optional(),
  PAYPAL_CLIENT_ID: atLeast(1).optional(),
  PAYPAL_CLIENT_SECRET: atLeast(1).optional(),
  PAYPAL_WEBHOOK_ID: atLeast(1).optional(),
  PAYPAL_ENV: oneOf('sandbox', 'live').default('sandbox'),
  PAYPAL_API_BASE: apiBase.optional(),
  PAYPAL_WEBHOOK_VERIFY: oneOf('offline', 'postback').default('offline'),
  PAYMENT_TIMEOUT: durationWithin('100ms', '60s').default(10_000),
  // Stripe takes 30 minutes to 24 hours from the moment it is asked: a repeat has to fit, too.
  CHECKOUT_DURATION: durationWithin('31m', '23h').default(3_600_000),
  AUTHORISATION_END_POLICY: oneOf('reauthorise', 'capture_early', 'void_and_cancel').default('reauthorise'),
  AUTHORISATION_END_MARGIN: durationWithin('1m', '2d').default(43_200_000),
  RECONCILIATION_CRON: cronTimes.default('15 4 * * *'),
  SANDBOX_PORT: port.optional(),
};
const paymentEnvironment = z.object(paymentVariables);

export interface PaymentConfig {
  /** Null: not set up, and not offered. */
  stripe: {
    secretKey: string;
    webhookSecret: string;
    /** Where customers come back to; null for a page of ours. */
    successUrl: string | null;
    cancelUrl: string | null;
    apiBase: string | null;
  } | null;
  paypal: {
    clientId: string;
    clientSecret: string;
    webhookId: string;
    environment: 'sandbox' | 'live';
    apiBase: string | null;
    verify: 'offline' | 'postback';
  } | null;
  /** Where customers reach this engine. */
  publicUrl: string;
  /** No call to a provider takes longer. */
  timeoutMs: number;
  checkoutMs: number;
  /** What becomes of a hold that nears its end before its order is complete, and how long before. */
  policy: 'reauthorise' | 'capture_early' | 'void_and_cancel';
  marginMs: number;
  /** When the ledger is compared with the providers, in UTC. */
  reconciliationCron: string;
}

const stripeKeys = ['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET'];
const paypalKeys = ['PAYPAL_CLIENT_ID', 'PAYPAL_CLIENT_SECRET', 'PAYPAL_WEBHOOK_ID'];
/** `sk_test_sandbox_of_twolane` and the like: they are published with this code. */
const standInKey = /sandbox.*of[-_]twolane$/i;

/** A provider is there whole or not at all, and never a stand-in where real orders are. */
export function paymentFaults(present: Record<string, string | undefined>, isProduction: boolean): string[] {
  const faults: string[] = [];
  for (const keys of [stripeKeys, paypalKeys]) {
    const missing = keys.filter((key) => !present[key]);
    if (missing.length > 0 && missing.length < keys.length)
      faults.push(`${missing.join(', ')}: missing; ${keys.join(', ')} come together or not at all`);
  }
  if (!isProduction) return faults;
  for (const name of ['STRIPE_API_BASE', 'PAYPAL_API_BASE', 'SANDBOX_PORT'])
    if (present[name]) faults.push(`${name}: is for development and tests, never for production`);
  for (const name of [...stripeKeys, ...paypalKeys])
    if (standInKey.test(present[name] ?? '')) faults.push(`${name}: is that of the sandbox, which everybody knows`);
  const needsReturn =
    present.PAYPAL_CLIENT_ID ||
    (present.STRIPE_SECRET_KEY && !(present.STRIPE_SUCCESS_URL && present.STRIPE_CANCEL_URL));
  if (needsReturn && !present.PUBLIC_URL)
    faults.push('PUBLIC_URL: is missing; customers come back to it after they have paid');
  if ((present.PAYPAL_CLIENT_ID || present.STRIPE_SECRET_KEY) && /^http:/i.test(present.PUBLIC_URL ?? ''))
    faults.push('PUBLIC_URL: takes an address with https where money is taken online');
  return faults;
}

export function paymentsFrom(is: z.infer<typeof paymentEnvironment> & { HOST: string; PORT: number }): PaymentConfig {
  const { STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, PAYPAL_CLIENT_ID, PAYPAL_CLIENT_SECRET, PAYPAL_WEBHOOK_ID } = is;
  return Object.freeze({
    stripe:
      STRIPE_SECRET_KEY && STRIPE_WEBHOOK_SECRET
        ? Object.freeze({
            secretKey: STRIPE_SECRET_KEY,
            webhookSecret: STRIPE_WEBHOOK_SECRET,
            successUrl: is.STRIPE_SUCCESS_URL ?? null,
            cancelUrl: is.STRIPE_CANCEL_URL ?? null,
            apiBase: is.STRIPE_API_BASE ?? null,
          })
        : null,
    paypal:
      PAYPAL_CLIENT_ID && PAYPAL_CLIENT_SECRET && PAYPAL_WEBHOOK_ID
        ? Object.freeze({
            clientId: PAYPAL_CLIENT_ID,
            clientSecret: PAYPAL_CLIENT_SECRET,
            webhookId: PAYPAL_WEBHOOK_ID,
            environment: is.PAYPAL_ENV,
            apiBase: is.PAYPAL_API_BASE ?? null,
            verify: is.PAYPAL_WEBHOOK_VERIFY,
          })
        : null,
    publicUrl: (is.PUBLIC_URL ?? `http://${is.HOST}:${is.PORT}`).replace(/\/$/, ''),
    timeoutMs: is.PAYMENT_TIMEOUT,
    checkoutMs: is.CHECKOUT_DURATION,
    policy: is.AUTHORISATION_END_POLICY,
    marginMs: is.AUTHORISATION_END_MARGIN,
    reconciliationCron: is.RECONCILIATION_CRON,
  });
}
