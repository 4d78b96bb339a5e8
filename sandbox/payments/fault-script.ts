import { z } from 'zod';
import { providerNames } from './answer.ts';

export const sandboxOperations = [
  'checkout.create',
  'checkout.read',
  'checkout.expire',
  'authorise',
  'capture',
  'void',
  'refund',
  'reauthorise',
  'read',
  'token',
  'events.list',
  'verify',
] as const;
export type SandboxOperation = (typeof sandboxOperations)[number];

export const faultKinds = [
  'answer_lost', // the effect, and then the connection breaks
  'error_after', // the effect, and then a 500
  'unavailable', // 503 before any effect
  'reset_before', // the connection breaks before any effect
  'rate_limited', // 429 with Retry-After, before any effect
  'conflict', // 409: one with the same key is said to be under way
  'slow', // the effect at once, its answer later
  'slow_before', // the effect later, whether or not anybody still waits for the answer
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** What a provider may decide instead: no fault of the wire. */
export const outcomeKinds = ['capture_declined', 'capture_pending', 'refund_pending', 'refund_failed'] as const;
export type OutcomeKind = (typeof outcomeKinds)[number];

export const webhookFaultKinds = ['doubled', 'reordered', 'delayed', 'lost'] as const;
export type WebhookFaultKind = (typeof webhookFaultKinds)[number];

const aim = {
  provider: z.enum(providerNames).optional(),
  orderNumber: z.int().optional(),
  times: z.int().min(1).default(1),
  delayMs: z.int().min(0).optional(),
};

export const requestFaultSchema = z.strictObject({
  ...aim,
  operation: z.enum([...sandboxOperations, 'any']),
  kind: z.enum([...faultKinds, ...outcomeKinds]),
  retryAfterSeconds: z.int().min(0).optional(),
});
export type RequestFault = z.input<typeof requestFaultSchema>;

export const webhookFaultSchema = z.strictObject({
  ...aim,
  /** The provider's name of the event, or `any`. */
  webhook: z.string(),
  kind: z.enum(webhookFaultKinds),
});
export type WebhookFault = z.input<typeof webhookFaultSchema>;

export type Fault = RequestFault | WebhookFault;

export function parseFault(fault: unknown): z.output<typeof requestFaultSchema> | z.output<typeof webhookFaultSchema> {
  const isOfWebhook = typeof fault === 'object' && fault !== null && 'webhook' in fault;
  return isOfWebhook ? webhookFaultSchema.parse(fault) : requestFaultSchema.parse(fault);
}

export const stormSchema = z.strictObject({
  seed: z.union([z.string(), z.int()]),
  /** How many of the requests fail, 0 to 1. */
  rate: z.number().min(0).max(1),
  /** How many of the events go wrong; as `rate` when it is not said. */
  webhookRate: z.number().min(0).max(1).optional(),
  /** How long a slow answer takes. */
  delayMs: z.int().min(0).default(2_000),
  kinds: z.array(z.enum(faultKinds)).min(1).optional(),
  webhookKinds: z.array(z.enum(webhookFaultKinds)).min(1).optional(),
});
export type Storm = z.input<typeof stormSchema>;
