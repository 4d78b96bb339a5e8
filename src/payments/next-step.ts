import type { Money } from '../domain/money.ts';
import type { OrderStatus } from '../domain/order-status.ts';
import type { PaymentOperationType } from '../domain/payment.ts';
import type { ProviderPayment } from './payment-gateway.ts';

/** What to do with a hold that nears its end before the order is complete. */
export const authorisationPolicies = ['reauthorise', 'capture_early', 'void_and_cancel'] as const;
export type AuthorisationPolicy = (typeof authorisationPolicies)[number];

/** All that the next step depends on. */
export interface PaymentFacts {
  orderStatus: OrderStatus;
  /** What was agreed, or what a manager has accepted instead. */
  amount: Money;
  createdAt: Date;
  checkoutExpiresAt: Date | null;
  /** Null as long as there is no checkout to look at. */
  seen: ProviderPayment | null;
  /** By our books: somebody has money on hold for us. */
  hasHold: boolean;
  /** Something does not agree with the ledger, and nobody has decided yet. */
  isQuarantined: boolean;
  /** The customer has asked for a checkout: one that is over is opened anew. */
  wantsCheckout: boolean;
  hasReauthorised: boolean;
  /** The refund that was asked for first and has not ended. */
  dueRefund: Money | null;
  /** What was refused for good when it was last asked. */
  refused: ReadonlySet<PaymentOperationType>;
  /** Somebody has looked, and wants what was declined tried once more. */
  isRetriedByHand: boolean;
  abilities: { canExpireCheckout: boolean; canReauthorise: boolean };
  policy: AuthorisationPolicy;
  /** How long before its end a hold is dealt with. */
  marginMs: number;
  now: Date;
}

export type PaymentStep =
  | { kind: 'ask'; operation: PaymentOperationType; amount: Money }
  /** The order is paid for, as far as it needs to be before the work begins. */
  | { kind: 'release_order' }
  | { kind: 'cancel_order'; reason: CancelReason }
  /** Nothing came of it: the payment is over, and with it an order that waited for it. */
  | { kind: 'give_up'; status: 'expired' | 'failed'; reason: CancelReason }
  /** Nothing to do now; `until` says when to look again by oneself, null for never. */
  | { kind: 'wait'; until: Date | null }
  /** Somebody has to look: what should be done next was refused, or is not possible any more. */
  | { kind: 'stuck'; reason: string };

/** Why the engine cancels an order by itself; its `failureReason`. */
export type CancelReason =
  | 'payment_expired'
  | 'payment_declined'
  | 'payment_refused'
  | 'payment_refunded'
  | 'authorisation_lost';

const minute = 60_000;
const day = 86_400_000;
/** A provider that cannot be had for so long: nobody waits at the other end any more. */
const checkoutTriedForMs = day;
/** PayPal renews from the day after the honour period. */
const renewableAfterMs = day;

/**
 * The next step towards where the money of an order should be, from what the provider says now. It depends on nothing that was
 * heard: a doubled, late or reordered message only asks the same question once more.
 */
export function nextPaymentStep(facts: PaymentFacts): PaymentStep {
  const step = wanted(facts);
  if (step.kind !== 'ask' || !facts.refused.has(step.operation)) return step;
  const reason = `${step.operation}_refused`;
  if (facts.orderStatus !== 'awaiting_payment') return { kind: 'stuck', reason };
  // Somebody waits for it, who can choose another way to pay.
  const isDeclined = step.operation === 'authorise';
  return { kind: 'give_up', status: 'failed', reason: isDeclined ? 'payment_declined' : 'payment_refused' };
}

function wanted(facts: PaymentFacts): PaymentStep {
  if (isStrange(facts)) return { kind: 'stuck', reason: 'payment_unknown_at_provider' };
  switch (facts.orderStatus) {
    case 'awaiting_payment':
      return towardsAuthorised(facts);
    case 'pending':
    case 'processing':
    case 'failed':
      return keepingTheHold(facts);
    case 'complete':
      return towardsCaptured(facts);
    case 'cancelled':
      return towardsNothing(facts);
  }
}

/** The keys are those of another account, more likely than that a provider has lost what it held: nothing is given up for that. */
function isStrange({ seen, hasHold, checkoutExpiresAt, now }: PaymentFacts): boolean {
  return seen?.checkout === 'unknown' && (hasHold || (checkoutExpiresAt !== null && now < checkoutExpiresAt));
}

function towardsAuthorised(facts: PaymentFacts): PaymentStep {
  const { seen, amount, now } = facts;
  if (facts.isQuarantined) return inAWhile(now);
  if (!seen) {
    const isHopeless = now.getTime() - facts.createdAt.getTime() > checkoutTriedForMs;
    if (isHopeless) return { kind: 'give_up', status: 'expired', reason: 'payment_expired' };
    return { kind: 'ask', operation: 'checkout', amount };
  }
  if (seen.capture?.status === 'done')
    return isGivenBack(seen) ? { kind: 'cancel_order', reason: 'payment_refunded' } : { kind: 'release_order' };
  switch (seen.authorisation?.status) {
    case 'held':
    case 'captured':
      return { kind: 'release_order' };
    case 'pending':
      return { kind: 'wait', until: soon(facts) };
    case 'denied':
      return { kind: 'give_up', status: 'failed', reason: 'payment_declined' };
    case 'voided':
    case 'expired':
      return { kind: 'cancel_order', reason: 'authorisation_lost' };
  }
  switch (seen.checkout) {
    case 'approved':
      return { kind: 'ask', operation: 'authorise', amount };
    case 'complete':
      return { kind: 'wait', until: soon(facts) };
    case 'expired':
    case 'unknown':
      if (facts.wantsCheckout) return { kind: 'ask', operation: 'checkout', amount };
      return {
        kind: 'give_up',
        status: 'expired',
        reason: seen.failure ? 'payment_declined' : 'payment_expired',
      };
    case 'open':
      if (facts.checkoutExpiresAt === null || now < facts.checkoutExpiresAt)
        return { kind: 'wait', until: soon(facts) };
      if (facts.abilities.canExpireCheckout) return { kind: 'ask', operation: 'expire', amount };
      if (facts.wantsCheckout) return { kind: 'ask', operation: 'checkout', amount }; // the old one is never taken up
      return { kind: 'give_up', status: 'expired', reason: 'payment_expired' };
  }
}

/** Webhooks tell sooner; the longer nothing has come, the less often it is worth a question. */
function soon({ now, createdAt, checkoutExpiresAt }: PaymentFacts): Date {
  const ageMs = now.getTime() - createdAt.getTime();
  const at = now.getTime() + Math.min(Math.max(ageMs, minute / 2), 10 * minute);
  const endsAt = checkoutExpiresAt ? checkoutExpiresAt.getTime() + 1_000 : at;
  return new Date(endsAt > now.getTime() ? Math.min(at, endsAt) : at);
}

function keepingTheHold(facts: PaymentFacts): PaymentStep {
  const { seen, dueRefund, now } = facts;
  if (!seen) return { kind: 'stuck', reason: 'checkout_unknown' };
  if (seen.capture?.status === 'done') {
    if (dueRefund) return { kind: 'ask', operation: 'refund', amount: dueRefund };
    // Taken early and given back whole: nobody pays for it any more.
    return isGivenBack(seen) ? { kind: 'cancel_order', reason: 'payment_refunded' } : { kind: 'wait', until: null };
  }
  if (seen.capture?.status === 'pending') return inAWhile(now);
  switch (seen.authorisation?.status) {
    case 'held':
      return heedTheEnd(facts, seen.authorisation);
    case 'voided':
    case 'expired':
    case 'denied':
      return { kind: 'cancel_order', reason: 'authorisation_lost' };
    default: // not shown is not gone: a paid order is never cancelled for an answer that lags
      return inAWhile(now);
  }
}

function heedTheEnd(facts: PaymentFacts, hold: NonNullable<ProviderPayment['authorisation']>): PaymentStep {
  const { policy, marginMs, now, abilities, hasReauthorised } = facts;
  const canRenew = abilities.canReauthorise && !hasReauthorised && !facts.refused.has('reauthorise');
  const isRenewed = policy === 'reauthorise' && canRenew && hold.honouredUntil;
  if (isRenewed) {
    const renewableAt = new Date(isRenewed.getTime() + renewableAfterMs);
    return now < renewableAt
      ? { kind: 'wait', until: renewableAt }
      : { kind: 'ask', operation: 'reauthorise', amount: hold.amount };
  }
  const end = hold.honouredUntil ?? hold.heldUntil;
  if (end === null) return { kind: 'wait', until: null };
  const actAt = new Date(end.getTime() - marginMs);
  if (now < actAt) return { kind: 'wait', until: actAt };
  const isWorthTheMoney =
    facts.orderStatus !== 'failed' && policy !== 'void_and_cancel' && !facts.refused.has('capture');
  return isWorthTheMoney
    ? { kind: 'ask', operation: 'capture', amount: facts.amount }
    : { kind: 'cancel_order', reason: 'authorisation_lost' };
}

function towardsCaptured({ seen, amount, dueRefund, isRetriedByHand, now }: PaymentFacts): PaymentStep {
  if (!seen) return { kind: 'stuck', reason: 'checkout_unknown' };
  switch (seen.capture?.status) {
    case 'done':
      return dueRefund ? { kind: 'ask', operation: 'refund', amount: dueRefund } : { kind: 'wait', until: null };
    case 'pending':
      return inAWhile(now);
    case 'declined':
      if (!isRetriedByHand || seen.authorisation?.status !== 'held')
        return { kind: 'stuck', reason: 'capture_declined' };
  }
  switch (seen.authorisation?.status) {
    case 'held':
    case 'captured': // by whom, only its answer tells
      return { kind: 'ask', operation: 'capture', amount };
    case 'voided':
    case 'expired':
    case 'denied':
      return { kind: 'stuck', reason: 'authorisation_lost' };
    default:
      return inAWhile(now);
  }
}

function towardsNothing({ seen, amount, abilities, dueRefund, now }: PaymentFacts): PaymentStep {
  if (!seen) return { kind: 'give_up', status: 'expired', reason: 'payment_expired' };
  if (seen.capture?.status === 'pending') return inAWhile(now);
  if (seen.capture?.status === 'done') {
    const { amountMinor, currency } = seen.capture.amount;
    const givenBack = seen.refunds.filter(({ status }) => status !== 'failed');
    const rest = givenBack.reduce((left, refund) => left - refund.amount.amountMinor, amountMinor);
    const due = dueRefund ?? (rest > 0 ? { amountMinor: rest, currency } : null);
    if (due) return { kind: 'ask', operation: 'refund', amount: due };
    return givenBack.some(({ status }) => status === 'pending') ? inAWhile(now) : { kind: 'wait', until: null };
  }
  switch (seen.authorisation?.status) {
    case 'held':
    case 'pending':
      return { kind: 'ask', operation: 'void', amount };
    case 'captured':
      return inAWhile(now);
    case 'voided':
    case 'expired':
    case 'denied':
      return { kind: 'wait', until: null };
  }
  if (seen.checkout === 'open' && abilities.canExpireCheckout) return { kind: 'ask', operation: 'expire', amount };
  // An approval that comes after the cancel is never taken up: no hold, no money.
  return { kind: 'give_up', status: 'expired', reason: 'payment_expired' };
}

function isGivenBack({ capture, refunds }: ProviderPayment): boolean {
  const givenBack = refunds.reduce((sum, { status, amount }) => sum + (status === 'done' ? amount.amountMinor : 0), 0);
  return capture !== null && givenBack >= capture.amount.amountMinor;
}

const inAWhile = (now: Date): PaymentStep => ({ kind: 'wait', until: new Date(now.getTime() + 5 * minute) });
