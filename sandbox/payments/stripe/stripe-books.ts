import type { LedgerEntryKind } from '../ledger.ts';
import type { SandboxContext } from '../sandbox-provider.ts';
import type { Collection } from '../sandbox-store.ts';
import { isoMinor } from './stripe-currency.ts';
import type {
  ChargeRecord,
  IntentRecord,
  Metadata,
  MovementRecord,
  RefundRecord,
  SessionRecord,
} from './stripe-records.ts';

export const stripeVersion = '2026-10-28.endive';

/** By which request something happened; nothing of it when the customer did it, or time. */
export interface Cause {
  requestId: string | null;
  idempotencyKey: string | null;
}
export const noRequest: Cause = { requestId: null, idempotencyKey: null };

/** The account at Stripe: its objects, and what is said and written of them. */
export class StripeBooks {
  readonly context: SandboxContext;
  readonly sessions: Collection<SessionRecord>;
  readonly intents: Collection<IntentRecord>;
  readonly charges: Collection<ChargeRecord>;
  readonly refunds: Collection<RefundRecord>;
  readonly movements: Collection<MovementRecord>;
  /** How long a card holds. */
  readonly holdMs: number;

  constructor(context: SandboxContext, holdMs: number) {
    this.context = context;
    this.holdMs = holdMs;
    this.sessions = context.store.collection('stripe-sessions');
    this.intents = context.store.collection('stripe-intents');
    this.charges = context.store.collection('stripe-charges');
    this.refunds = context.store.collection('stripe-refunds');
    this.movements = context.store.collection('stripe-movements');
  }

  get nowMs(): number {
    return this.context.clock.nowMs();
  }

  write(kind: LedgerEntryKind, reference: string, amount: number, intent: IntentRecord): void {
    this.context.ledger.write({
      provider: 'stripe',
      kind,
      paymentId: intent.metadata.paymentId ?? null,
      orderNumber: orderNumberOf(intent.metadata),
      reference,
      amountMinor: isoMinor(amount, intent.currency),
      currency: intent.currency.toUpperCase(),
    });
  }

  /** Money that really moves, as the account sees it. */
  move(type: 'charge' | 'refund', amount: number, currency: string, sourceId: string): string {
    const id = this.context.ids.next('txn_', 24);
    const fee = type === 'charge' ? Math.round(amount * 0.015) : 0;
    this.movements.set(id, { id, createdMs: this.nowMs, type, amount, fee, currency, sourceId });
    return id;
  }

  metadataOf(object: SessionRecord | IntentRecord | ChargeRecord | RefundRecord): Metadata {
    return 'chargeId' in object && 'intentId' in object
      ? (this.intents.get(object.intentId)?.metadata ?? {}) // a refund has metadata of its own
      : object.metadata;
  }

  orderNumberOf(id: string): number | null {
    const object =
      this.sessions.get(id) ?? this.intents.get(id) ?? this.charges.get(id) ?? this.refunds.get(id) ?? null;
    return object && orderNumberOf(this.metadataOf(object));
  }
}

export function orderNumberOf(metadata: Metadata): number | null {
  const text = metadata.orderNumber;
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null;
}
