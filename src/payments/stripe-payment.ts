import type Stripe from 'stripe';
import type { PaymentReferences, ProviderFailure, ProviderPayment } from './payment-gateway.ts';
import { fromStripe } from './provider-amounts.ts';
import { isUnknownObject, withoutSecrets } from './stripe-errors.ts';

/** The SDK's answers as they are asked for here: with the intent and its charge within. */
export interface StripePayment {
  /** Null when Stripe no longer knows it. */
  session: Stripe.Checkout.Session | null;
  intent: Stripe.PaymentIntent | null;
  refunds: Stripe.Refund[];
}

const chargeWithin = 'latest_charge';

/** One request; a second for the refunds where there may be any. */
export async function readStripePayment(stripe: Stripe, references: PaymentReferences): Promise<StripePayment> {
  const session = await orNull(
    stripe.checkout.sessions.retrieve(references.checkout, { expand: [`payment_intent.${chargeWithin}`] }),
  );
  const intent = session ? expanded(session.payment_intent) : await readIntent(stripe, references.authorisation);
  return { session, intent, refunds: intent ? await readRefunds(stripe, intent, references) : [] };
}

/** A session is forgotten before the money is. */
async function readIntent(stripe: Stripe, intent: string | null): Promise<Stripe.PaymentIntent | null> {
  if (intent === null) return null;
  return await orNull(stripe.paymentIntents.retrieve(intent, { expand: [chargeWithin] }));
}

/**
 * A refund that failed is no longer counted by its charge. Ours can only have been asked for once we knew of the capture, so from
 * then on the list is always read.
 */
async function readRefunds(
  stripe: Stripe,
  intent: Stripe.PaymentIntent,
  references: PaymentReferences,
): Promise<Stripe.Refund[]> {
  if (intent.status !== 'succeeded') return [];
  const refunded = expanded(intent.latest_charge)?.amount_refunded ?? 0;
  if (refunded === 0 && references.capture === null) return [];
  const refunds: Stripe.Refund[] = [];
  for await (const refund of stripe.refunds.list({ payment_intent: intent.id, limit: 100 })) {
    if (!isRelease(refund)) refunds.push(refund);
  }
  return refunds;
}

/** What a partial capture leaves of a hold is let go by a refund, too: one that moves no money and that nobody asked for. */
function isRelease({ status, balance_transaction, metadata }: Stripe.Refund): boolean {
  return status === 'succeeded' && balance_transaction === null && metadata?.operationId === undefined;
}

async function orNull<Answer>(answer: Promise<Answer>): Promise<Answer | null> {
  try {
    return await answer;
  } catch (error) {
    if (isUnknownObject(error)) return null;
    throw error;
  }
}

/** The object itself where it was asked for; null where there is none. */
function expanded<Item extends { id: string }>(item: string | Item | null | undefined): Item | null {
  if (typeof item === 'string') throw new TypeError('Stripe answered with an id in place of its object');
  return item ?? null;
}

export function toProviderPayment({ session, intent, refunds }: StripePayment): ProviderPayment {
  return {
    checkout: checkoutFrom(session, intent),
    authorisation: intent && authorisationFrom(session, intent),
    capture: intent && captureFrom(intent),
    refunds: refunds.map(({ id, status, amount, currency, metadata }) => ({
      reference: id,
      operationId: metadata?.operationId ?? null,
      status: refundStatus(status),
      amount: fromStripe(amount, currency),
    })),
    failure: intent && failureFrom(intent.last_payment_error),
  };
}

function checkoutFrom(
  session: Stripe.Checkout.Session | null,
  intent: Stripe.PaymentIntent | null,
): ProviderPayment['checkout'] {
  if (!session) return intent ? 'complete' : 'unknown';
  if (session.status === 'complete') return 'complete';
  return session.status === 'expired' ? 'expired' : 'open';
}

function authorisationFrom(
  session: Stripe.Checkout.Session | null,
  intent: Stripe.PaymentIntent,
): ProviderPayment['authorisation'] {
  const status = authorisationStatus(session, intent);
  if (status === null) return null;
  const held = status === 'held' ? intent.amount_capturable : intent.amount;
  const captureBefore = expanded(intent.latest_charge)?.payment_method_details?.card?.capture_before;
  return {
    reference: intent.id,
    status,
    amount: fromStripe(held, intent.currency),
    heldUntil: captureBefore === undefined ? null : new Date(captureBefore * 1_000),
    honouredUntil: null,
  };
}

type AuthorisationStatus = NonNullable<ProviderPayment['authorisation']>['status'];

/** Null as long as the customer has not got as far as a hold: an intent is there from the first try on. */
function authorisationStatus(
  session: Stripe.Checkout.Session | null,
  intent: Stripe.PaymentIntent,
): AuthorisationStatus | null {
  if (intent.status === 'requires_capture') return 'held';
  if (intent.status === 'succeeded') return 'captured';
  if (session && session.status !== 'complete') return null;
  if (intent.status === 'canceled') {
    const endedByItself = ['automatic', 'expired'].includes(intent.cancellation_reason ?? '');
    return endedByItself ? 'expired' : 'voided';
  }
  return intent.status === 'requires_payment_method' ? 'denied' : 'pending';
}

function captureFrom(intent: Stripe.PaymentIntent): ProviderPayment['capture'] {
  const charge = expanded(intent.latest_charge);
  if (intent.status !== 'succeeded' || !charge) return null;
  return { reference: charge.id, status: 'done', amount: fromStripe(intent.amount_received, intent.currency) };
}

function refundStatus(status: string | null): 'pending' | 'done' | 'failed' {
  if (status === 'succeeded') return 'done';
  return status === 'failed' || status === 'canceled' ? 'failed' : 'pending';
}

function failureFrom(error: Stripe.PaymentIntent['last_payment_error']): ProviderFailure | null {
  if (!error) return null;
  return { code: error.code ?? error.type, message: withoutSecrets(error.message ?? 'The payment failed.') };
}
