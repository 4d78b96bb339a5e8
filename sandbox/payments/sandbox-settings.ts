import { z } from 'zod';
import type { PaymentSandboxOptions } from './payment-sandbox.ts';
import { readKeys } from './sandbox-keys.ts';

const environmentSchema = z.object({
  ENV: z
    .string()
    .refine((env) => env !== 'production', 'the sandbox never runs in production: no money moves in it')
    .optional(),
  SANDBOX_HOST: z.string().optional(),
  SANDBOX_PORT: z.coerce.number().pipe(z.int().min(0).max(65_535)).default(4242),
  SANDBOX_DATA_FILE: z.string().optional(),
  SANDBOX_STRIPE_HOLD_MS: z.coerce.number().pipe(z.int().min(1)).optional(),
  PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
});

/** What the process that stands alone is told by its environment. Throws one error that names everything wrong. */
export function readSandboxSettings(environment: NodeJS.ProcessEnv): PaymentSandboxOptions {
  // a line `NAME=` of an .env file says nothing
  const said = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const read = environmentSchema.safeParse(said);
  if (!read.success) throw new Error(`the sandbox cannot start: ${z.prettifyError(read.error)}`);
  const { SANDBOX_HOST, SANDBOX_PORT, SANDBOX_DATA_FILE, SANDBOX_STRIPE_HOLD_MS, PUBLIC_URL } = read.data;
  const hooks = PUBLIC_URL?.replace(/\/+$/, '');
  return {
    port: SANDBOX_PORT,
    keys: readKeys(environment),
    ...(SANDBOX_HOST !== undefined && { host: SANDBOX_HOST }),
    ...(SANDBOX_DATA_FILE !== undefined && { dataFile: SANDBOX_DATA_FILE }),
    ...(SANDBOX_STRIPE_HOLD_MS !== undefined && { stripeHoldMs: SANDBOX_STRIPE_HOLD_MS }),
    ...(hooks !== undefined && {
      webhookUrls: { stripe: `${hooks}/v1/webhooks/stripe`, paypal: `${hooks}/v1/webhooks/paypal` },
    }),
  };
}
