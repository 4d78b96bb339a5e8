import { CheckoutClosedError } from '../sandbox-provider.ts';
import { type Cause, noRequest, type StripeBooks } from './stripe-books.ts';
import { whyNotTotal } from './stripe-currency.ts';
import { announce } from './stripe-events.ts';
import type { SessionParameters } from './stripe-parameters.ts';
import { lapseIntent } from './stripe-payments.ts';
import type { CardError, ChargeRecord, IntentRecord, SessionRecord } from './stripe-records.ts';
import { missing, wrongParameter, wrongState } from './stripe-refusal.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** From the shop's wish to be paid to what the customer makes of it. */
export function createSession(books: StripeBooks, wanted: SessionParameters): SessionRecord {
  const { ids, clock } = books.context;
  const currency = wanted.line_items[0]?.price_data.currency ?? '';
  if (wanted.line_items.some((line) => line.price_data.currency !== currency))
    throw wrongParameter(undefined, 'line_items', 'All line items must have the same currency.');
  const lines = wanted.line_items.map(({ price_data, quantity }) => ({
    id: ids.next('li_', 24),
    name: price_data.product_data.name,
    quantity,
    unitAmount: price_data.unit_amount,
  }));
  const amount = lines.reduce((total, line) => total + line.quantity * line.unitAmount, 0);
  const fault = whyNotTotal(amount, currency);
  if (fault) throw wrongParameter(fault.code, 'line_items', fault.message);

  const nowMs = books.nowMs;
  const expiresAtMs = wanted.expires_at === undefined ? nowMs + 24 * hourMs : +clock.fromWire(wanted.expires_at * 1000);
  // to the second, as both are on the wire
  const lastsMs = Math.ceil((expiresAtMs - nowMs) / 1000) * 1000;
  if (lastsMs < 30 * minuteMs)
    throw wrongParameter(
      undefined,
      'expires_at',
      'The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.',
    );
  if (lastsMs > 24 * hourMs)
    throw wrongParameter(
      undefined,
      'expires_at',
      'The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.',
    );

  const session: SessionRecord = {
    id: ids.next('cs_test_', 58),
    createdMs: nowMs,
    expiresAtMs,
    status: 'open',
    amount,
    currency,
    lines,
    captureMethod: wanted.payment_intent_data.capture_method === 'manual' ? 'manual' : 'automatic',
    description: wanted.payment_intent_data.description ?? null,
    customerEmail: wanted.customer_email ?? null,
    metadata: wanted.metadata,
    intentMetadata: wanted.payment_intent_data.metadata,
    clientReferenceId: wanted.client_reference_id ?? null,
    successUrl: wanted.success_url,
    cancelUrl: wanted.cancel_url ?? null,
    intentId: null,
  };
  books.sessions.set(session.id, session);
  return session;
}

/** As it is by now: one whose time is over has expired, whoever looks first. */
export function findSession(books: StripeBooks, id: string): SessionRecord | null {
  const session = books.sessions.get(id);
  if (!session) return null;
  if (session.status === 'open' && session.expiresAtMs <= books.nowMs) endSession(books, session, noRequest);
  return session;
}

export function getSession(books: StripeBooks, id: string): SessionRecord {
  const session = findSession(books, id);
  if (!session) throw missing('checkout.session', id, 'session');
  return session;
}

export function expireSession(books: StripeBooks, id: string, cause: Cause): SessionRecord {
  const session = getSession(books, id);
  if (session.status !== 'open')
    throw wrongState(
      null,
      `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of \`${session.status}\`.`,
    );
  endSession(books, session, cause);
  return session;
}

/** The customer's card is good: the money is held, or taken where nobody asked for a hold. */
export function payCheckout(books: StripeBooks, reference: string): void {
  const session = getOpen(books, reference);
  const intent = intentOf(books, session);
  const charge = addCharge(books, intent, null);
  intent.lastError = null;
  if (intent.captureMethod === 'manual') {
    intent.status = 'requires_capture';
    intent.amountCapturable = intent.amount;
    charge.captureBeforeMs = books.nowMs + books.holdMs;
    books.write('authorised', intent.id, intent.amount, intent);
  } else {
    intent.status = 'succeeded';
    intent.amountReceived = intent.amount;
    charge.captured = true;
    charge.amountCaptured = charge.amount;
    charge.movementId = books.move('charge', charge.amount, charge.currency, charge.id);
    books.write('captured', charge.id, intent.amount, intent);
  }
  session.status = 'complete';
  books.charges.set(charge.id, charge);
  books.intents.set(intent.id, intent);
  books.sessions.set(session.id, session);
  announce(books, 'charge.succeeded', charge, noRequest);
  const held = intent.status === 'requires_capture';
  announce(books, held ? 'payment_intent.amount_capturable_updated' : 'payment_intent.succeeded', intent, noRequest);
  announce(books, 'checkout.session.completed', session, noRequest);
}

/** The bank says no. The page stays, and another card may be tried. */
export function declineCheckout(books: StripeBooks, reference: string): void {
  const session = getOpen(books, reference);
  const intent = intentOf(books, session);
  const declined: CardError = {
    code: 'card_declined',
    declineCode: 'generic_decline',
    message: 'Your card was declined.',
  };
  const charge = addCharge(books, intent, declined);
  intent.lastError = declined;
  books.charges.set(charge.id, charge);
  books.intents.set(intent.id, intent);
  announce(books, 'charge.failed', charge, noRequest);
  announce(books, 'payment_intent.payment_failed', intent, noRequest);
}

/** Going back to the shop ends nothing: the page stays open until its time is over, or somebody expires it. */
export function leaveCheckout(books: StripeBooks, reference: string): void {
  getSession(books, reference);
}

function getOpen(books: StripeBooks, reference: string): SessionRecord {
  const session = findSession(books, reference);
  if (!session) throw new CheckoutClosedError(reference, 'unknown');
  if (session.status !== 'open') throw new CheckoutClosedError(reference, session.status);
  return session;
}

/** There is none before the customer's first try. */
function intentOf(books: StripeBooks, session: SessionRecord): IntentRecord {
  const known = session.intentId === null ? undefined : books.intents.get(session.intentId);
  if (known) return known;
  const intent: IntentRecord = {
    id: books.context.ids.next('pi_', 24),
    sessionId: session.id,
    createdMs: books.nowMs,
    amount: session.amount,
    currency: session.currency,
    captureMethod: session.captureMethod,
    status: 'requires_payment_method',
    amountCapturable: 0,
    amountReceived: 0,
    canceledAtMs: null,
    cancellationReason: null,
    chargeId: null,
    lastError: null,
    description: session.description,
    metadata: { ...session.intentMetadata },
  };
  session.intentId = intent.id;
  books.intents.set(intent.id, intent);
  books.sessions.set(session.id, session);
  announce(books, 'payment_intent.created', intent, noRequest);
  return intent;
}

function addCharge(books: StripeBooks, intent: IntentRecord, failure: CardError | null): ChargeRecord {
  const charge: ChargeRecord = {
    id: books.context.ids.next('ch_', 24),
    intentId: intent.id,
    createdMs: books.nowMs,
    amount: intent.amount,
    amountCaptured: 0,
    amountRefunded: 0,
    currency: intent.currency,
    status: failure ? 'failed' : 'succeeded',
    captured: false,
    failure,
    captureBeforeMs: null,
    movementId: null,
    description: intent.description,
    metadata: { ...intent.metadata },
  };
  intent.chargeId = charge.id;
  return charge;
}

function endSession(books: StripeBooks, session: SessionRecord, cause: Cause): void {
  session.status = 'expired';
  books.sessions.set(session.id, session);
  const intent = session.intentId === null ? undefined : books.intents.get(session.intentId);
  if (intent?.status === 'requires_payment_method') lapseIntent(books, intent, 'expired', cause);
  announce(books, 'checkout.session.expired', session, cause);
}
