import type { AuthorizationWithAdditionalData, Order, OrdersCapture, Refund } from '@paypal/paypal-server-sdk';
import {
  type PaymentReferences,
  ProviderError,
  type ProviderFailure,
  type ProviderPayment,
} from './payment-gateway.ts';
import { known, malformed, orNull, toMoney, toTime } from './paypal-answers.ts';
import { listPayPalMovements, type TransactionQuery } from './paypal-movements.ts';
import type { PayPalSession } from './paypal-session.ts';

/** For so long after each authorisation, a renewed one too, PayPal stands by it; later a capture may fail. */
const honourPeriodMs = 3 * 86_400_000;

type ProviderAuthorisation = NonNullable<ProviderPayment['authorisation']>;
type ProviderCapture = NonNullable<ProviderPayment['capture']>;
type ProviderRefund = ProviderPayment['refunds'][number];

/** What PayPal has of a payment, as its objects say it. */
interface PayPalObjects {
  order: Order | null;
  authorisations: AuthorizationWithAdditionalData[];
  captures: OrdersCapture[];
  refunds: ProviderRefund[];
}

/** Reads the order, which lists all that came of it, and one by one what it does not list. */
export async function readPayPalPayment(
  session: PayPalSession,
  references: PaymentReferences,
  signal: AbortSignal,
): Promise<ProviderPayment> {
  const options = { abortSignal: signal };
  const order = await orNull(session.orders.getOrder({ id: references.checkout }, options));
  const lists = order?.purchaseUnits?.[0]?.payments;
  const objects: PayPalObjects = {
    order,
    authorisations: [...(lists?.authorizations ?? [])],
    captures: [...(lists?.captures ?? [])],
    refunds: (lists?.refunds ?? []).map((refund) => toRefund(refund, lists?.captures ?? [])),
  };
  const { authorisation, capture } = references;
  const [unlistedAuthorisation, unlistedCapture] = await Promise.all([
    authorisation === null || objects.authorisations.some(({ id }) => id === authorisation)
      ? null
      : orNull(session.payments.getAuthorizedPayment({ authorizationId: authorisation }, options)),
    capture === null || objects.captures.some(({ id }) => id === capture)
      ? null
      : orNull(session.payments.getCapturedPayment({ captureId: capture }, options)),
  ]);
  if (unlistedAuthorisation) objects.authorisations.push(unlistedAuthorisation);
  if (unlistedCapture) {
    objects.captures.push(unlistedCapture);
    objects.refunds.push(...(await refundsOf(session, unlistedCapture, signal)));
  }
  return toProviderPayment(objects, new Date());
}

function toProviderPayment(objects: PayPalObjects, now: Date): ProviderPayment {
  const latestAuthorisation = latest(objects.authorisations.filter(isCaptured), objects.authorisations);
  const latestCapture = latest(
    objects.captures.filter(({ status }) => captureStatus(status) === 'done'),
    objects.captures.filter(({ status }) => captureStatus(status) === 'pending'),
    objects.captures,
  );
  const authorisation = latestAuthorisation ? toAuthorisation(latestAuthorisation, now) : null;
  const capture = latestCapture ? toCapture(latestCapture, objects.captures) : null;
  return {
    checkout: authorisation || capture ? 'complete' : checkoutStatus(objects.order),
    authorisation,
    capture,
    refunds: objects.refunds,
    failure: failureOf(latestAuthorisation, latestCapture) ?? lastDecline(objects.order),
  };
}

function checkoutStatus(order: Order | null): ProviderPayment['checkout'] {
  switch (order?.status) {
    case undefined:
      if (order) throw malformed('an order without a status');
      return 'unknown';
    case 'APPROVED':
      return 'approved';
    case 'COMPLETED':
      return 'complete';
    case 'VOIDED':
      return 'expired';
    default:
      return 'open'; // CREATED, SAVED, PAYER_ACTION_REQUIRED
  }
}

function toAuthorisation(authorisation: AuthorizationWithAdditionalData, now: Date): ProviderAuthorisation {
  const heldUntil = toTime(authorisation.expirationTime);
  const createdAt = toTime(authorisation.createTime);
  const honouredUntil = createdAt && new Date(createdAt.getTime() + honourPeriodMs);
  return {
    reference: known(authorisation.id, 'an authorisation without an id'),
    status: authorisationStatus(authorisation, heldUntil, now),
    amount: toMoney(authorisation.amount),
    heldUntil,
    honouredUntil: honouredUntil && heldUntil && heldUntil < honouredUntil ? heldUntil : honouredUntil,
  };
}

function authorisationStatus(
  authorisation: AuthorizationWithAdditionalData,
  heldUntil: Date | null,
  now: Date,
): ProviderAuthorisation['status'] {
  const isOver = (at: Date | null): boolean => heldUntil !== null && at !== null && at >= heldUntil;
  switch (authorisation.status) {
    case 'CREATED':
      return isOver(now) ? 'expired' : 'held';
    case 'CAPTURED':
    case 'PARTIALLY_CAPTURED': // a capture of ours is always the last one
      return 'captured';
    case 'VOIDED':
      // PayPal voids what has reached its end.
      return isOver(toTime(authorisation.updateTime)) ? 'expired' : 'voided';
    case 'DENIED':
      return 'denied';
    default:
      return isOver(now) ? 'expired' : 'pending'; // PENDING, or a word that we do not know: nothing is built on it
  }
}

/** Somebody may have captured by hand, in parts: what counts is what was taken in all. */
function toCapture(capture: OrdersCapture, all: readonly OrdersCapture[]): ProviderCapture {
  const status = captureStatus(capture.status);
  const { amountMinor, currency } = toMoney(capture.amount);
  const others = all.filter(
    (other) => other !== capture && status === 'done' && captureStatus(other.status) === 'done',
  );
  return {
    reference: known(capture.id, 'a capture without an id'),
    status,
    amount: {
      amountMinor: others.reduce((sum, other) => sum + toMoney(other.amount).amountMinor, amountMinor),
      currency,
    },
  };
}

function captureStatus(status: string | undefined): ProviderCapture['status'] {
  switch (status) {
    case 'COMPLETED':
    case 'REFUNDED':
    case 'PARTIALLY_REFUNDED':
      return 'done';
    case 'DECLINED':
    case 'FAILED':
      return 'declined';
    default:
      return 'pending';
  }
}

/**
 * The refunds of a capture are listed by its order alone. Once PayPal has forgotten the order, its books still tell, some hours late;
 * until they do, a refunded capture must not look like one of which nothing was given back.
 */
async function refundsOf(
  session: PayPalSession,
  capture: OrdersCapture,
  signal: AbortSignal,
): Promise<ProviderRefund[]> {
  if (capture.status !== 'REFUNDED' && capture.status !== 'PARTIALLY_REFUNDED') return [];
  const madeAt = known(toTime(capture.createTime) ?? undefined, 'a capture without a date');
  const refunds: ProviderRefund[] = [];
  let givenBack = 0;
  const search = async (query: TransactionQuery) =>
    (await session.transactions.searchTransactions(query, { abortSignal: signal })).result;
  for await (const { kind, relatedReference, reference, customId, amount } of listPayPalMovements(
    search,
    madeAt,
    new Date(),
  )) {
    if (kind !== 'refund' || relatedReference !== capture.id) continue;
    refunds.push({ reference, operationId: operationIdIn(customId, [capture]), status: 'done', amount });
    givenBack += amount.amountMinor;
  }
  const isComplete =
    capture.status === 'REFUNDED' ? givenBack >= toMoney(capture.amount).amountMinor : refunds.length > 0;
  if (isComplete) return refunds;
  throw new ProviderError('busy', 'REFUNDS_NOT_LISTED_YET', 'PayPal’s books do not show the refunds yet', {
    retryAfterMs: 3_600_000,
  });
}

function toRefund(refund: Refund, captures: OrdersCapture[]): ProviderRefund {
  return {
    reference: known(refund.id, 'a refund without an id'),
    operationId: operationIdIn(refund.customId ?? null, captures),
    status: refundStatus(refund.status),
    amount: toMoney(refund.amount),
  };
}

/** A refund made at PayPal's own site may take over what its capture carries, which is no operation of ours. */
function operationIdIn(customId: string | null, captures: OrdersCapture[]): string | null {
  return captures.some((capture) => capture.customId === customId) ? null : customId;
}

function refundStatus(status: string | undefined): ProviderRefund['status'] {
  if (status === 'COMPLETED') return 'done';
  return status === 'FAILED' || status === 'CANCELLED' ? 'failed' : 'pending';
}

function failureOf(
  authorisation: AuthorizationWithAdditionalData | null,
  capture: OrdersCapture | null,
): ProviderFailure | null {
  if (capture && captureStatus(capture.status) === 'declined') {
    const code = capture.statusDetails?.reason ?? 'CAPTURE_DECLINED';
    return { code, message: `PayPal declined the capture (${code})` };
  }
  if (authorisation?.status === 'DENIED') {
    const code = authorisation.statusDetails?.reason ?? 'AUTHORIZATION_DENIED';
    return { code, message: `PayPal denied the authorisation (${code})` };
  }
  return null;
}

/** Why the order could not be authorised, until the customer approves it anew. */
function lastDecline(order: Order | null): ProviderFailure | null {
  const [latest] = order?.purchaseUnits?.[0]?.mostRecentErrors ?? [];
  if (typeof latest !== 'object' || latest === null || !('issue' in latest)) return null;
  const code = String(latest.issue);
  return { code, message: `PayPal declined the payment (${code})` };
}

function isCaptured({ status }: AuthorizationWithAdditionalData): boolean {
  return status === 'CAPTURED' || status === 'PARTIALLY_CAPTURED';
}

/** The youngest of the first list that holds any; of those made in the same second, the one listed last. */
function latest<Made extends { createTime?: string }>(...lists: readonly Made[][]): Made | null {
  const madeAtMs = ({ createTime }: Made): number => toTime(createTime)?.getTime() ?? 0;
  const list = lists.find(({ length }) => length > 0) ?? [];
  return list.toSorted((one, other) => madeAtMs(one) - madeAtMs(other)).at(-1) ?? null;
}
