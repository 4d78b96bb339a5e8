import type { IncomingHttpHeaders } from 'node:http';
import type { Money } from '../domain/money.ts';
import type { PaymentOperationType, PaymentProvider } from '../domain/payment.ts';

/**
 * A payment provider as the engine needs it. It gives facts and decides nothing: what to do next is `settlePayment`'s business.
 *
 * - Every call that changes something takes an idempotency key, which is sent as it is: the same key never has two effects.
 * - Every failure is a `ProviderError` of one of its kinds. No call tries again by itself: who calls knows what a repeat means.
 * - No call lasts longer than the time-out that the gateway was opened with.
 * - Amounts are in ISO 4217 minor units on this side, and in the provider's own form on the wire.
 */
export interface PaymentGateway {
  readonly provider: PaymentProvider;
  /** How long the provider knows a key. Later than that, a repeat would be a new request. */
  readonly keyLifeMs: Readonly<Record<PaymentOperationType, number>>;
  /** Whether an open checkout can be ended by us. Where it cannot, it is left alone and never authorised. */
  readonly canExpireCheckout: boolean;
  /** Whether an authorisation can be renewed. */
  readonly canReauthorise: boolean;

  /** Why the provider cannot take this amount (`JPY has no decimals there`); null when it can. */
  whyNotPayable(amount: Money): string | null;

  createCheckout(request: CheckoutRequest): Promise<Checkout>;
  /** Everything about a payment as it is now. */
  read(references: PaymentReferences): Promise<ProviderPayment>;
  expireCheckout(references: PaymentReferences, idempotencyKey: string): Promise<void>;
  /** Takes the hold that the customer has approved, where that is a step of its own. */
  authorise(references: PaymentReferences, idempotencyKey: string): Promise<void>;
  reauthorise(references: PaymentReferences, amount: Money, idempotencyKey: string): Promise<void>;
  /** Takes the money; what is left of the hold is released. */
  capture(references: PaymentReferences, amount: Money, idempotencyKey: string): Promise<void>;
  /** Lets the hold go. */
  void(references: PaymentReferences, idempotencyKey: string): Promise<void>;
  refund(
    references: PaymentReferences,
    refund: { operationId: string; amount: Money },
    idempotencyKey: string,
  ): Promise<void>;

  /**
   * What a webhook says, once its signature over the raw body is found good. Throws `SignatureInvalidError`; a `ProviderError` when
   * that could not be found out now.
   */
  readEvent(rawBody: Buffer, headers: IncomingHttpHeaders): Promise<ProviderEvent>;
  /** Events that the provider could not deliver since then, oldest first; null where it keeps no list. */
  readonly listMissedEvents: ((since: Date) => AsyncIterable<MissedEvent>) | null;
  /** Money taken and given back within a time, for the reconciliation. */
  listMovements(from: Date, to: Date): AsyncIterable<ProviderMovement>;
}

export interface CheckoutRequest {
  paymentId: string;
  orderNumber: number;
  amount: Money;
  /** Until when the customer may pay. A provider with limits of its own takes the nearest time it can. */
  expiresAt: Date;
  successUrl: string;
  cancelUrl: string;
  idempotencyKey: string;
}

export interface Checkout {
  reference: string;
  /** Where the customer pays. */
  url: string;
  expiresAt: Date;
}

/** What we know of a payment on the provider's side. */
export interface PaymentReferences {
  /** A Checkout Session (`cs_…`), or a PayPal order. */
  checkout: string;
  /** A PaymentIntent (`pi_…`), or a PayPal authorisation: the latest, after it was renewed. */
  authorisation: string | null;
  /** A charge (`ch_…`), or a PayPal capture. */
  capture: string | null;
}

/** A payment as the provider has it now. */
export interface ProviderPayment {
  /**
   * `open`: the customer may still pay. `approved`: the customer has agreed, and we may take the hold. `complete`: see the
   * authorisation. `expired`: nobody can pay any more. `unknown`: the provider does not know it, (any longer) or under our keys.
   */
  checkout: 'open' | 'approved' | 'complete' | 'expired' | 'unknown';
  authorisation: {
    reference: string;
    /** `pending`: the provider has not decided yet. `denied`: it has, against us. */
    status: 'pending' | 'held' | 'captured' | 'voided' | 'expired' | 'denied';
    amount: Money;
    /** When the hold ends. Null where the provider does not say. */
    heldUntil: Date | null;
    /** Until when the provider stands by the hold without a renewal. Null where that is the whole of it. */
    honouredUntil: Date | null;
  } | null;
  capture: { reference: string; status: 'pending' | 'done' | 'declined'; amount: Money } | null;
  /** All of them; `operationId` where we had asked for it. */
  refunds: { reference: string; operationId: string | null; status: 'pending' | 'done' | 'failed'; amount: Money }[];
  /** What the provider says of the last try that failed. */
  failure: ProviderFailure | null;
}

export interface ProviderFailure {
  /** The provider's own word, `card_declined` or `INSTRUMENT_DECLINED`. */
  code: string;
  /** For people. */
  message: string;
}

export interface ProviderEvent {
  /** Unique at the provider: a second delivery has the same. */
  id: string;
  /** The provider's own word, `payment_intent.canceled`. */
  type: string;
  occurredAt: Date;
  /** Ours, where the object carries it. */
  paymentId: string | null;
  /** Of the objects that the event is about, any of which we may know: a session, an intent, a charge; an order, an authorisation, a capture. */
  references: string[];
  /** What was agreed with the customer, where this type of event says so and it must equal ours; null otherwise. */
  amount: Money | null;
}

export interface MissedEvent {
  event: ProviderEvent;
  rawBody: string;
}

export interface ProviderMovement {
  kind: 'capture' | 'refund';
  reference: string;
  /** The PaymentIntent, or the capture that a PayPal refund belongs to; null when the provider does not say. */
  relatedReference: string | null;
  /** Ours, where the provider gives it back. */
  paymentId: string | null;
  amount: Money;
  at: Date;
}

/**
 * - `declined`: the customer's bank or account says no. A repeat is no use; the customer has to choose otherwise.
 * - `refused`: our request is wrong. A repeat is no use; somebody has to look.
 * - `unauthorised`: our keys are wrong, or may not do this. It had no effect; the same again, once somebody has mended them.
 * - `wrong_state`: the object is not where this step is possible. Reading it tells why.
 * - `not_found`: the provider does not know the object.
 * - `busy`: too many requests, or one with the same key is under way. This one had no effect; the same again, later.
 * - `unknown`: a time-out, a lost connection, a 5xx: it may have had its effect or not.
 */
export type ProviderErrorKind =
  | 'declined'
  | 'refused'
  | 'unauthorised'
  | 'wrong_state'
  | 'not_found'
  | 'busy'
  | 'unknown';

export class ProviderError extends Error {
  readonly kind: ProviderErrorKind;
  /** The provider's own word, or that of the network (`ECONNRESET`). */
  readonly code: string;
  /** When the provider asks for a pause. */
  readonly retryAfterMs: number | null;
  /** By which the provider's support finds the request. */
  readonly requestId: string | null;

  constructor(
    kind: ProviderErrorKind,
    code: string,
    message: string,
    options: ErrorOptions & { retryAfterMs?: number | null; requestId?: string | null } = {},
  ) {
    super(message, options);
    this.name = 'ProviderError';
    this.kind = kind;
    this.code = code;
    this.retryAfterMs = options.retryAfterMs ?? null;
    this.requestId = options.requestId ?? null;
  }
}

/** Nobody knows who sent it. */
export class SignatureInvalidError extends Error {
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.name = 'SignatureInvalidError';
  }
}
