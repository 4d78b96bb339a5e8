import type { IncomingHttpHeaders } from 'node:http';
import Stripe from 'stripe';
import { z } from 'zod';
import type { Money } from '../domain/money.ts';
import { type MissedEvent, type ProviderEvent, SignatureInvalidError } from './payment-gateway.ts';
import { fromStripe } from './provider-amounts.ts';
import { allPages, type StripeClient } from './stripe-client.ts';
import { toProviderError } from './stripe-errors.ts';

/** Older than that, it may be one that somebody recorded. 0 would mean any age. */
const toleranceSeconds = 300;

/** An id, or the object in its place. */
const reference = z
  .union([z.string(), z.object({ id: z.string() }).transform(({ id }) => id)])
  .nullable()
  .catch(null);
const amount = z.int().nullable().catch(null);

/**
 * An event has the form of the API version that the account or the endpoint is set to, which need not be ours. So no more is read of
 * it than this, and what has another form there is left out: an event never says more than where to look.
 */
const eventSchema = z.object({
  id: z.string().min(1),
  type: z.string().min(1),
  created: z.int(),
  data: z.object({
    object: z.object({
      object: z.string().catch(''),
      id: reference,
      payment_intent: reference,
      latest_charge: reference,
      charge: reference,
      metadata: z.record(z.string(), z.string()).catch({}),
      amount,
      amount_total: amount,
      currency: z.string().nullable().catch(null),
    }),
  }),
});
type StripeObject = z.infer<typeof eventSchema>['data']['object'];

/** What an event can be about that has to do with a payment. */
const paymentObjects = new Set(['checkout.session', 'payment_intent', 'charge', 'refund', 'dispute']);

export function readStripeEvent(rawBody: Buffer, headers: IncomingHttpHeaders, webhookSecret: string): ProviderEvent {
  try {
    const signature = headers['stripe-signature'] ?? '';
    return eventFrom(Stripe.webhooks.constructEvent(rawBody, signature, webhookSecret, toleranceSeconds));
  } catch (error) {
    // Not as the cause: the SDK's error carries the body, and the customer in it.
    throw new SignatureInvalidError(reasonOf(error));
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError) return 'the body is no event of Stripe';
  if (error instanceof SyntaxError) return 'the body is no JSON';
  if (error instanceof Stripe.errors.StripeSignatureVerificationError) return firstLine(error.message);
  return 'the signature could not be checked';
}

const firstLine = (text: string) => text.split('\n', 1)[0]?.trim() ?? '';

function eventFrom(value: unknown): ProviderEvent {
  const { id, type, created, data } = eventSchema.parse(value);
  const { object } = data;
  const about = [object.id, object.payment_intent, object.latest_charge, object.charge];
  return {
    id,
    type,
    occurredAt: new Date(created * 1_000),
    paymentId: object.metadata.paymentId ?? null,
    references: paymentObjects.has(object.object) ? [...new Set(about.filter((each) => each !== null))] : [],
    amount: agreedAmount(type, object),
  };
}

/** The two types that say what the customer agreed to. One that cannot be read here is found out by reading the payment. */
function agreedAmount(type: string, { amount, amount_total, currency }: StripeObject): Money | null {
  const agreed = { 'checkout.session.completed': amount_total, 'payment_intent.amount_capturable_updated': amount }[
    type
  ];
  if (agreed === undefined || agreed === null || currency === null) return null;
  try {
    return fromStripe(agreed, currency);
  } catch {
    return null;
  }
}

/**
 * Stripe keeps events for 30 days, and lists them newest first: all of them are fetched before the first is given out. What was missed
 * in an outage is a few kilobytes each. What other endpoints of the account missed is listed too, and left out where it is no payment.
 */
export async function* listMissedStripeEvents(client: StripeClient, since: Date): AsyncGenerator<MissedEvent> {
  const action = 'Listing events';
  const created = { gte: Math.floor(since.getTime() / 1_000) };
  const missed: MissedEvent[] = [];
  for await (const event of allPages(client, action, (stripe, page) =>
    stripe.events.list({ delivery_success: false, created, ...page }),
  )) {
    missed.push({ event: readListed(event, action), rawBody: JSON.stringify(event) });
  }
  yield* missed.reverse().filter(({ event }) => event.references.length > 0);
}

function readListed(event: Stripe.Event, action: string): ProviderEvent {
  try {
    return eventFrom(event);
  } catch (error) {
    throw toProviderError(error, action);
  }
}
