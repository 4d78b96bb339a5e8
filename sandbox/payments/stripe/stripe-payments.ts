import { type Cause, noRequest, type StripeBooks } from './stripe-books.ts';
import { whyNotAmount } from './stripe-currency.ts';
import { announce } from './stripe-events.ts';
import { renderStored } from './stripe-objects.ts';
import type { ChargeRecord, IntentRecord, Metadata, RefundRecord } from './stripe-records.ts';
import { missing, StripeRefusal, wrongParameter, wrongState } from './stripe-refusal.ts';

/** As it is by now: a hold whose time is over is gone, whoever looks first. */
export function findIntent(books: StripeBooks, id: string): IntentRecord | null {
  const intent = books.intents.get(id);
  if (!intent) return null;
  const charge = intent.chargeId === null ? undefined : books.charges.get(intent.chargeId);
  const until = charge?.captureBeforeMs ?? null;
  if (intent.status === 'requires_capture' && charge && until !== null && until <= books.nowMs)
    releaseHold(books, intent, charge, 'automatic', noRequest);
  return intent;
}

export function getIntent(books: StripeBooks, id: string): IntentRecord {
  const intent = findIntent(books, id);
  if (!intent) throw missing('payment_intent', id, 'intent');
  return intent;
}

/** Takes the money, once. What is not taken of the hold is let go. */
export function captureIntent(
  books: StripeBooks,
  id: string,
  wanted: { amount_to_capture?: number | undefined; metadata?: Metadata | undefined },
  cause: Cause,
): IntentRecord {
  const intent = getIntent(books, id);
  if (intent.status !== 'requires_capture') {
    const why =
      intent.status === 'succeeded'
        ? 'it has already been captured.'
        : `it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be captured: requires_capture.`;
    throw unexpectedState(books, intent, `This PaymentIntent could not be captured because ${why}`);
  }
  const charge = chargeOf(books, intent);
  const amount = wanted.amount_to_capture ?? intent.amountCapturable;
  if (amount > intent.amountCapturable)
    throw wrongState(
      'amount_too_large',
      'The capture amount is greater than the amount you can capture for this charge.',
      { param: 'amount_to_capture' },
    );
  const fault = whyNotAmount(amount, intent.currency);
  if (fault) throw wrongParameter(fault.code, 'amount_to_capture', fault.message);
  const call = { provider: stripe, operation: 'capture', orderNumber: books.orderNumberOf(intent.id) } as const;
  if (books.context.faults.takeOutcome(call) === 'capture_declined')
    throw new StripeRefusal(402, {
      type: 'card_error',
      code: 'card_declined',
      decline_code: 'generic_decline',
      message: 'Your card was declined.',
      charge: charge.id,
      payment_intent: renderStored(books, intent.id),
    });

  const left = intent.amountCapturable - amount;
  intent.status = 'succeeded';
  intent.amountCapturable = 0;
  intent.amountReceived = amount;
  Object.assign(intent.metadata, wanted.metadata);
  charge.captured = true;
  charge.amountCaptured = amount;
  charge.movementId = books.move('charge', amount, charge.currency, charge.id);
  books.write('captured', charge.id, amount, intent);
  if (left > 0) addRelease(books, charge, left);
  books.charges.set(charge.id, charge);
  books.intents.set(intent.id, intent);
  announce(books, 'charge.captured', charge, cause);
  announce(books, 'payment_intent.succeeded', intent, cause);
  return intent;
}

export function cancelIntent(books: StripeBooks, id: string, reason: string | null, cause: Cause): IntentRecord {
  const intent = getIntent(books, id);
  if (intent.status === 'canceled' || intent.status === 'succeeded')
    throw unexpectedState(
      books,
      intent,
      `You cannot cancel this PaymentIntent because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, requires_capture, requires_confirmation, requires_action, processing.`,
    );
  if (intent.status !== 'requires_capture')
    throw unexpectedState(
      books,
      intent,
      'You cannot cancel this PaymentIntent because it was created by a Checkout Session. Expire the Checkout Session instead.',
    );
  releaseHold(books, intent, chargeOf(books, intent), reason, cause);
  return intent;
}

/** Ends one that holds nothing, with its session. */
export function lapseIntent(books: StripeBooks, intent: IntentRecord, reason: string | null, cause: Cause): void {
  intent.status = 'canceled';
  intent.canceledAtMs = books.nowMs;
  intent.cancellationReason = reason;
  books.intents.set(intent.id, intent);
  announce(books, 'payment_intent.canceled', intent, cause);
}

export function refundCharge(
  books: StripeBooks,
  wanted: {
    payment_intent?: string | undefined;
    charge?: string | undefined;
    amount?: number | undefined;
    reason?: string | undefined;
    metadata: Metadata;
  },
  cause: Cause,
): RefundRecord {
  const charge = chargeToRefund(books, wanted);
  const intent = getIntent(books, charge.intentId);
  if (!charge.captured)
    throw wrongState(
      null,
      `This uncaptured Charge was created by a PaymentIntent (${intent.id}). You must cancel the PaymentIntent to reverse the authorization instead of refunding the Charge directly.`,
    );
  const left = charge.amount - charge.amountRefunded;
  if (left === 0) throw wrongState('charge_already_refunded', `Charge ${charge.id} has already been refunded.`);
  const amount = wanted.amount ?? left;
  if (amount > left)
    throw wrongState(null, `Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`, {
      param: 'amount',
    });
  const fault = whyNotAmount(amount, charge.currency);
  if (fault) throw wrongParameter(fault.code, 'amount', fault.message);

  const call = { provider: stripe, operation: 'refund', orderNumber: books.orderNumberOf(charge.id) } as const;
  const outcome = books.context.faults.takeOutcome(call);
  const refund = addRefund(books, charge, { amount, reason: wanted.reason ?? null, metadata: wanted.metadata });
  charge.amountRefunded += amount;
  if (outcome === 'refund_pending' || outcome === 'refund_failed') {
    refund.status = 'pending';
    refund.ends = { atMs: books.nowMs + refundTakesMs, as: outcome === 'refund_failed' ? 'failed' : 'succeeded' };
  } else {
    refund.movementId = books.move('refund', -amount, charge.currency, refund.id);
    books.write('refunded', refund.id, amount, intent);
  }
  books.refunds.set(refund.id, refund);
  books.charges.set(charge.id, charge);
  announce(books, 'refund.created', refund, cause);
  announce(books, 'charge.refunded', charge, cause);
  return refund;
}

/** How one that was not at once ends. */
export function settleRefund(books: StripeBooks, refund: RefundRecord): void {
  const charge = books.charges.get(refund.chargeId);
  const intent = books.intents.get(refund.intentId);
  if (!refund.ends || refund.ends.atMs > books.nowMs || !charge || !intent) return;
  refund.status = refund.ends.as;
  refund.ends = null;
  if (refund.status === 'succeeded') {
    refund.movementId = books.move('refund', -refund.amount, refund.currency, refund.id);
    books.write('refunded', refund.id, refund.amount, intent);
  } else {
    charge.amountRefunded -= refund.amount;
    books.charges.set(charge.id, charge);
  }
  books.refunds.set(refund.id, refund);
  announce(books, 'refund.updated', refund, noRequest);
  if (refund.status === 'failed') announce(books, 'refund.failed', refund, noRequest);
}

const stripe = { name: 'stripe' } as const;
/** By the sandbox's clock. */
const refundTakesMs = 24 * 3600 * 1000;

/**
 * Lets a hold go. Stripe shows that as a refund of a charge that was never captured, with `charge.refunded` when somebody asked for
 * it: it is no money given back, and not to be booked as such.
 */
function releaseHold(
  books: StripeBooks,
  intent: IntentRecord,
  charge: ChargeRecord,
  reason: string | null,
  cause: Cause,
): void {
  const held = intent.amountCapturable;
  const lapsed = reason === 'automatic';
  intent.amountCapturable = 0;
  books.write(lapsed ? 'expired' : 'voided', intent.id, held, intent);
  addRelease(books, charge, held);
  books.charges.set(charge.id, charge);
  announce(books, lapsed ? 'charge.expired' : 'charge.refunded', charge, cause);
  lapseIntent(books, intent, reason, cause);
}

function addRelease(books: StripeBooks, charge: ChargeRecord, amount: number): void {
  const refund = addRefund(books, charge, { amount, reason: null, metadata: {} });
  charge.amountRefunded += amount;
  books.refunds.set(refund.id, refund);
}

function addRefund(
  books: StripeBooks,
  charge: ChargeRecord,
  { amount, reason, metadata }: { amount: number; reason: string | null; metadata: Metadata },
): RefundRecord {
  return {
    id: books.context.ids.next('re_', 24),
    chargeId: charge.id,
    intentId: charge.intentId,
    createdMs: books.nowMs,
    amount,
    currency: charge.currency,
    status: 'succeeded',
    ends: null,
    reason,
    metadata,
    movementId: null,
  };
}

function chargeOf(books: StripeBooks, intent: IntentRecord): ChargeRecord {
  const charge = intent.chargeId === null ? undefined : books.charges.get(intent.chargeId);
  if (!charge) throw new Error(`${intent.id} holds money without a charge`);
  return charge;
}

function chargeToRefund(
  books: StripeBooks,
  wanted: { payment_intent?: string | undefined; charge?: string | undefined },
): ChargeRecord {
  if (wanted.charge !== undefined) {
    const charge = books.charges.get(wanted.charge);
    if (!charge) throw missing('charge', wanted.charge, 'charge');
    return charge;
  }
  if (wanted.payment_intent === undefined)
    throw wrongParameter(
      'parameter_missing',
      'charge',
      'One of the following params should be provided for this request: payment_intent or charge.',
    );
  const intent = getIntent(books, wanted.payment_intent);
  const charge = intent.chargeId === null ? undefined : books.charges.get(intent.chargeId);
  if (charge?.status !== 'succeeded')
    throw wrongState(null, `This PaymentIntent (${intent.id}) does not have a successful charge to refund.`);
  return charge;
}

function unexpectedState(books: StripeBooks, intent: IntentRecord, message: string): StripeRefusal {
  return wrongState('payment_intent_unexpected_state', message, { payment_intent: renderStored(books, intent.id) });
}
