import type { StripeBooks } from './stripe-books.ts';
import type {
  CardError,
  ChargeRecord,
  IntentRecord,
  MovementRecord,
  RefundRecord,
  SessionRecord,
} from './stripe-records.ts';

export type StripeObject = Record<string, unknown>;

/** An object as Stripe shows it, by its id; null where there is none. References are ids. */
export function renderStored(books: StripeBooks, id: string): StripeObject | null {
  const session = books.sessions.get(id);
  if (session) return renderSession(books, session);
  const intent = books.intents.get(id);
  if (intent) return renderIntent(books, intent);
  const charge = books.charges.get(id);
  if (charge) return renderCharge(books, charge);
  const refund = books.refunds.get(id);
  if (refund) return renderRefund(books, refund);
  const movement = books.movements.get(id);
  return movement ? renderMovement(books, movement) : null;
}

export function list(data: unknown[], url: string, hasMore = false): StripeObject {
  return { object: 'list', data, has_more: hasMore, url };
}

export function newestFirst<Item extends { createdMs: number }>(items: Iterable<Item>): Item[] {
  return [...items].reverse().toSorted((one, other) => other.createdMs - one.createdMs);
}

function seconds(books: StripeBooks, ms: number): number {
  return Math.floor(books.context.clock.toWire(ms).getTime() / 1000);
}

function renderSession(books: StripeBooks, session: SessionRecord): StripeObject {
  const intent = session.intentId === null ? undefined : books.intents.get(session.intentId);
  return {
    id: session.id,
    object: 'checkout.session',
    adaptive_pricing: { enabled: false },
    after_expiration: null,
    allow_promotion_codes: null,
    amount_subtotal: session.amount,
    amount_total: session.amount,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    billing_address_collection: null,
    cancel_url: session.cancelUrl,
    client_reference_id: session.clientReferenceId,
    client_secret: null,
    created: seconds(books, session.createdMs),
    currency: session.currency,
    custom_fields: [],
    customer: null,
    customer_creation: 'if_required',
    customer_details: session.status === 'complete' ? { email: session.customerEmail ?? 'customer@example.com' } : null,
    customer_email: session.customerEmail,
    expires_at: seconds(books, session.expiresAtMs),
    invoice: null,
    livemode: false,
    locale: null,
    metadata: { ...session.metadata },
    mode: 'payment',
    payment_intent: session.intentId,
    payment_link: null,
    payment_method_collection: 'if_required',
    payment_method_options: { card: { request_three_d_secure: 'automatic' } },
    payment_method_types: ['card'],
    // a hold is not a payment: it stays unpaid until it is captured
    payment_status: intent?.status === 'succeeded' ? 'paid' : 'unpaid',
    recovered_from: null,
    setup_intent: null,
    shipping_cost: null,
    shipping_options: [],
    status: session.status,
    submit_type: null,
    subscription: null,
    success_url: session.successUrl,
    total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
    ui_mode: 'hosted_page',
    url: session.status === 'open' ? `${books.context.baseUrl()}/sandbox/checkout/stripe/${session.id}` : null,
    wallet_options: null,
  };
}

export function renderLine(books: StripeBooks, sessionId: string, line: SessionRecord['lines'][number]): StripeObject {
  const currency = books.sessions.get(sessionId)?.currency;
  const amount = line.quantity * line.unitAmount;
  return {
    id: line.id,
    object: 'item',
    amount_discount: 0,
    amount_subtotal: amount,
    amount_tax: 0,
    amount_total: amount,
    currency,
    description: line.name,
    price: null,
    quantity: line.quantity,
  };
}

function renderIntent(books: StripeBooks, intent: IntentRecord): StripeObject {
  return {
    id: intent.id,
    object: 'payment_intent',
    amount: intent.amount,
    amount_capturable: intent.amountCapturable,
    amount_details: { tip: {} },
    amount_received: intent.amountReceived,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: null,
    canceled_at: intent.canceledAtMs === null ? null : seconds(books, intent.canceledAtMs),
    cancellation_reason: intent.cancellationReason,
    capture_method: intent.captureMethod,
    client_secret: `${intent.id}_secret_sandbox`,
    confirmation_method: 'automatic',
    created: seconds(books, intent.createdMs),
    currency: intent.currency,
    customer: null,
    description: intent.description,
    last_payment_error: intent.lastError && renderCardError(intent.lastError, intent.chargeId),
    latest_charge: intent.chargeId,
    livemode: false,
    metadata: { ...intent.metadata },
    next_action: null,
    on_behalf_of: null,
    payment_method: intent.status === 'requires_payment_method' ? null : 'pm_sandbox',
    payment_method_options: { card: { request_three_d_secure: 'automatic' } },
    payment_method_types: ['card'],
    processing: null,
    receipt_email: null,
    review: null,
    setup_future_usage: null,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: intent.status,
    transfer_group: null,
  };
}

function renderCharge(books: StripeBooks, charge: ChargeRecord): StripeObject {
  return {
    id: charge.id,
    object: 'charge',
    amount: charge.amount,
    amount_captured: charge.amountCaptured,
    amount_refunded: charge.amountRefunded,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: charge.movementId,
    billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
    calculated_statement_descriptor: 'SANDBOX',
    captured: charge.captured,
    created: seconds(books, charge.createdMs),
    currency: charge.currency,
    customer: null,
    description: charge.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: charge.failure?.code ?? null,
    failure_message: charge.failure?.message ?? null,
    fraud_details: {},
    livemode: false,
    metadata: { ...charge.metadata },
    on_behalf_of: null,
    outcome: charge.failure
      ? { network_status: 'declined_by_network', reason: charge.failure.declineCode, type: 'issuer_declined' }
      : { network_status: 'approved_by_network', reason: null, type: 'authorized' },
    paid: charge.status === 'succeeded',
    payment_intent: charge.intentId,
    payment_method: 'pm_sandbox',
    payment_method_details: {
      card: {
        brand: 'visa',
        ...(charge.captureBeforeMs !== null && { capture_before: seconds(books, charge.captureBeforeMs) }),
        country: 'US',
        exp_month: 12,
        exp_year: 2034,
        funding: 'credit',
        last4: charge.failure ? '0002' : '4242',
        network: 'visa',
      },
      type: 'card',
    },
    receipt_email: null,
    receipt_number: null,
    receipt_url: null,
    refunded: charge.amountRefunded === charge.amount,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: charge.status,
    transfer_data: null,
    transfer_group: null,
  };
}

function renderRefund(books: StripeBooks, refund: RefundRecord): StripeObject {
  return {
    id: refund.id,
    object: 'refund',
    amount: refund.amount,
    balance_transaction: refund.movementId,
    charge: refund.chargeId,
    created: seconds(books, refund.createdMs),
    currency: refund.currency,
    destination_details: { card: { type: 'refund' }, type: 'card' },
    ...(refund.status === 'failed' && { failure_reason: 'lost_or_stolen_card' }),
    metadata: { ...refund.metadata },
    payment_intent: refund.intentId,
    ...(refund.status === 'pending' && { pending_reason: 'processing' }),
    reason: refund.reason,
    receipt_number: null,
    source_transfer_reversal: null,
    status: refund.status,
    transfer_reversal: null,
  };
}

function renderMovement(books: StripeBooks, movement: MovementRecord): StripeObject {
  return {
    id: movement.id,
    object: 'balance_transaction',
    amount: movement.amount,
    available_on: seconds(books, movement.createdMs) + 2 * 24 * 3600,
    balance_type: 'payments',
    created: seconds(books, movement.createdMs),
    currency: movement.currency,
    description: null,
    exchange_rate: null,
    fee: movement.fee,
    fee_details: [],
    net: movement.amount - movement.fee,
    reporting_category: movement.type,
    source: movement.sourceId,
    status: 'pending',
    type: movement.type,
  };
}

export function renderCardError(error: CardError, chargeId: string | null): StripeObject {
  return {
    ...(chargeId !== null && { charge: chargeId }),
    code: error.code,
    decline_code: error.declineCode,
    doc_url: `https://stripe.com/docs/error-codes/${error.code.replaceAll('_', '-')}`,
    message: error.message,
    type: 'card_error',
  };
}
