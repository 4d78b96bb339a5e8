/** What Stripe knows. Times are in the sandbox's own time; currencies in lower case, amounts in Stripe's units. */

export type Metadata = Record<string, string>;

export interface SessionRecord {
  id: string;
  createdMs: number;
  expiresAtMs: number;
  status: 'open' | 'complete' | 'expired';
  amount: number;
  currency: string;
  lines: { id: string; name: string; quantity: number; unitAmount: number }[];
  captureMethod: 'automatic' | 'manual';
  description: string | null;
  customerEmail: string | null;
  metadata: Metadata;
  intentMetadata: Metadata;
  clientReferenceId: string | null;
  successUrl: string;
  cancelUrl: string | null;
  /** From the customer's first try on. */
  intentId: string | null;
}

export interface IntentRecord {
  id: string;
  sessionId: string;
  createdMs: number;
  amount: number;
  currency: string;
  captureMethod: 'automatic' | 'manual';
  status: 'requires_payment_method' | 'requires_capture' | 'canceled' | 'succeeded';
  amountCapturable: number;
  amountReceived: number;
  canceledAtMs: number | null;
  cancellationReason: string | null;
  chargeId: string | null;
  lastError: CardError | null;
  description: string | null;
  metadata: Metadata;
}

export interface ChargeRecord {
  id: string;
  intentId: string;
  createdMs: number;
  amount: number;
  amountCaptured: number;
  /** Counts what of a hold was let go, too. */
  amountRefunded: number;
  currency: string;
  status: 'succeeded' | 'failed';
  captured: boolean;
  failure: CardError | null;
  /** Null where nothing is held. */
  captureBeforeMs: number | null;
  movementId: string | null;
  description: string | null;
  metadata: Metadata;
}

export interface CardError {
  code: string;
  declineCode: string;
  message: string;
}

export interface RefundRecord {
  id: string;
  chargeId: string;
  intentId: string;
  createdMs: number;
  amount: number;
  currency: string;
  status: 'pending' | 'succeeded' | 'failed';
  /** How one that is pending ends, and when. */
  ends: { atMs: number; as: 'succeeded' | 'failed' } | null;
  reason: string | null;
  metadata: Metadata;
  /** Null where no money went back: of what was only held. */
  movementId: string | null;
}

/** A balance transaction. */
export interface MovementRecord {
  id: string;
  createdMs: number;
  type: 'charge' | 'refund';
  /** Signed, as seen from the account. */
  amount: number;
  fee: number;
  currency: string;
  sourceId: string;
}
