import path from 'node:path';
import { findFreePort, isPortFree } from '../../sandbox/free-port.ts';
import { defaultKeys } from '../../sandbox/payments/sandbox-keys.ts';
import { type PaymentProvider, paymentProviders } from '../../src/domain/payment.ts';
import type { DemoEnvironment } from './environment.ts';
import type { ProcfileLine } from './procfile.ts';

/** The stand-ins of Stripe and PayPal: where they will be, and what everybody has to know for that. */
export type SandboxPlan = {
  url: string;
  line: ProcfileLine;
  /** Of its own process. */
  variables: NodeJS.ProcessEnv;
  /** For every process of ours, so that the SDKs go there. */
  settings: Record<string, string>;
};

/** So far beyond the port of web it is looked for first: a checkout that is open then stays where it is over a restart. */
const portDistance = 10;

/** Null where the environment has keys: then a real provider is asked, and the other one is not offered. */
export async function planPaymentSandbox(demo: DemoEnvironment, dataFolder: string): Promise<SandboxPlan | null> {
  if (demo.paymentKeysOf.length > 0) return null;
  const port = await choosePort(demo);
  const url = `http://127.0.0.1:${port}`;
  const keys = {
    STRIPE_SECRET_KEY: defaultKeys.stripeSecretKey,
    STRIPE_WEBHOOK_SECRET: defaultKeys.stripeWebhookSecret,
    PAYPAL_CLIENT_ID: defaultKeys.paypalClientId,
    PAYPAL_CLIENT_SECRET: defaultKeys.paypalClientSecret,
    PAYPAL_WEBHOOK_ID: defaultKeys.paypalWebhookId,
  };
  const { STRIPE_API_BASE, PAYPAL_API_BASE } = demo.variables; // a recording proxy before it
  return {
    url,
    line: { name: 'sandbox', command: 'node sandbox/main.ts' },
    variables: {
      ...demo.variables,
      ...keys,
      SANDBOX_PORT: String(port),
      SANDBOX_DATA_FILE: path.join(dataFolder, 'payment-sandbox.json'),
      PUBLIC_URL: demo.url, // its webhooks come straight here, whatever customers call us
    },
    settings: { ...keys, STRIPE_API_BASE: STRIPE_API_BASE || url, PAYPAL_API_BASE: PAYPAL_API_BASE || url },
  };
}

const providerNames: Record<PaymentProvider, string> = { stripe: 'Stripe', paypal: 'PayPal' };

/** By whom customers pay where no sandbox runs. */
export function paymentKeysText({ paymentKeysOf }: DemoEnvironment): string {
  const missing = paymentProviders.find((provider) => !paymentKeysOf.includes(provider));
  const offered = `${paymentKeysOf.map((provider) => providerNames[provider]).join(' and ')} by the keys of your environment`;
  return missing ? `${offered}; ${providerNames[missing]} is not offered, and no sandbox runs` : offered;
}

/** The one that was asked for, or none; else one nearby that is free. */
async function choosePort({ port, variables: { SANDBOX_PORT: wanted } }: DemoEnvironment): Promise<number> {
  if (wanted && Number(wanted) !== 0) {
    if (Number(wanted) === port) throw new Error(`SANDBOX_PORT: ${wanted} is the PORT of web. Name another one`);
    if (await isPortFree(Number(wanted))) return Number(wanted);
    throw new Error(`SANDBOX_PORT: ${wanted} is in use. Stop what uses it, or name another one`);
  }
  const near = port + portDistance;
  return findFreePort(wanted || near > 65_535 ? 0 : near);
}
