import type { DatabasePool } from 'slonik';
import { recordPaymentEvent } from '../db/payment-events.ts';
import { endOperation, failRefunds, listCurrentOperations, type PaymentOperation } from '../db/payment-operations.ts';
import { lockLeasedPayment, type Payment, savePaymentReferences, saveSeenPayment } from '../db/payments.ts';
import { quarantine } from '../db/quarantine.ts';
import type { Db } from '../db/sql.ts';
import { decimalText, minorUnitDigits } from '../domain/currency.ts';
import type { Money } from '../domain/money.ts';
import type { PaymentEventType, PaymentStatus } from '../domain/payment.ts';
import type { QuarantineKind } from '../domain/quarantine.ts';
import type { ProviderPayment } from '../payments/payment-gateway.ts';
import { LeaseLostError } from './lease-lost-error.ts';

/**
 * Writes down what the provider says of a payment, in one transaction: where the money is, how operations ended that nobody had
 * heard the end of, and what does not agree with the ledger.
 */
export function recordSeenPayment(
  pool: DatabasePool,
  { payment, leaseId, seen }: { payment: Payment; leaseId: string; seen: ProviderPayment },
): Promise<void> {
  return pool.transaction(async (transaction) => {
    if (!(await lockLeasedPayment(transaction, payment.id, leaseId))) throw new LeaseLostError();
    await setAsideDisagreement(transaction, payment, seen);
    await saveMoney(transaction, payment, seen);
    await takeBackRefunds(transaction, payment, seen);
    for (const operation of await listCurrentOperations(transaction, payment.id)) {
      const end = endOf(operation, payment, seen);
      if (end) await endOperation(transaction, operation.id, end);
    }
  });
}

/** A bank may send a refund back days later: then it was none, and may be asked for again. */
async function takeBackRefunds(db: Db, payment: Payment, seen: ProviderPayment): Promise<void> {
  const failed = seen.refunds.flatMap(({ status, operationId }) =>
    status === 'failed' && operationId ? [operationId] : [],
  );
  for (const { id, amount } of failed.length > 0 ? await failRefunds(db, payment.id, failed) : [])
    await recordPaymentEvent(db, {
      paymentId: payment.id,
      type: 'refund_failed',
      actor: payment.provider,
      detail: { operation: id, amountMinor: amount.amountMinor, currency: amount.currency },
    });
}

async function saveMoney(db: Db, payment: Payment, seen: ProviderPayment): Promise<void> {
  const status = statusOf(payment.status, seen);
  if (isBehind(payment, seen, status)) return;
  const captured = seen.capture?.status === 'done' ? seen.capture.amount.amountMinor : 0;
  const refunded = givenBack(seen);
  const refundedNow = refunded - payment.refundedMinor;
  const former = await saveSeenPayment(db, payment.id, {
    status,
    authorisationReference: seen.authorisation?.reference ?? null,
    authorisedMinor: seen.authorisation?.amount.amountMinor ?? null,
    heldUntil: seen.authorisation?.heldUntil ?? null,
    honouredUntil: seen.authorisation?.honouredUntil ?? null,
    captureReference: seen.capture?.reference ?? null,
    capturedMinor: captured,
    refundedMinor: refunded,
    failureCode: seen.failure?.code ?? payment.failureCode,
    failureMessage: seen.failure?.message ?? payment.failureMessage,
  });
  if (former === null) {
    const captureReference = seen.capture?.reference ?? null;
    await savePaymentReferences(db, payment.id, {
      authorisationReference: seen.authorisation?.reference ?? null,
      captureReference,
    });
    return setAsideMove(db, payment, status);
  }
  if (former !== status)
    await recordPaymentEvent(db, {
      paymentId: payment.id,
      ...eventOf(status, seen, refundedNow),
      actor: payment.provider,
    });
  else if (refunded > payment.refundedMinor)
    await recordPaymentEvent(db, {
      paymentId: payment.id,
      type: 'payment_partially_refunded',
      actor: payment.provider,
      detail: { amountMinor: refundedNow, refundedMinor: refunded },
    });
  const reference = seen.authorisation?.reference;
  if (former === 'authorised' && status === 'authorised' && reference !== payment.authorisationReference)
    await recordPaymentEvent(db, {
      paymentId: payment.id,
      type: 'payment_reauthorised',
      actor: payment.provider,
      detail: { reference: reference ?? null },
    });
}

/** What the ledger says after this. That nobody paid is not the provider's word but our decision, so it stays what it was. */
function statusOf(current: PaymentStatus, seen: ProviderPayment): PaymentStatus {
  if (seen.capture?.status === 'done') {
    const refunded = givenBack(seen);
    if (refunded === 0) return 'captured';
    return refunded >= seen.capture.amount.amountMinor ? 'refunded' : 'partially_refunded';
  }
  switch (seen.authorisation?.status) {
    case 'held':
    case 'captured': // its capture will be read in a moment
      return 'authorised';
    case 'voided':
      return 'voided';
    case 'expired':
      return 'expired';
    case 'denied':
      return 'failed';
    default:
      return current;
  }
}

/** An answer that lags behind what the provider has told us before: nothing is written down, and nothing is unexpected. */
function isBehind({ status: current, refundedMinor }: Payment, seen: ProviderPayment, status: PaymentStatus): boolean {
  if (current === 'voided') return status === 'authorised';
  if (current !== 'captured' && current !== 'partially_refunded' && current !== 'refunded') return false;
  if (seen.capture?.status !== 'done') return true;
  return givenBack(seen) < refundedMinor && !seen.refunds.some(({ status }) => status === 'failed');
}

const givenBack = ({ refunds }: ProviderPayment) =>
  refunds.reduce((sum, refund) => sum + (refund.status === 'done' ? refund.amount.amountMinor : 0), 0);

function eventOf(
  status: PaymentStatus,
  seen: ProviderPayment,
  refundedNow: number,
): { type: PaymentEventType; detail: Record<string, string | number | null> } {
  const { authorisation, capture, failure } = seen;
  // Less than before: a refund came back, and nothing was given now.
  const refund = { ...(refundedNow > 0 && { amountMinor: refundedNow }), refundedMinor: givenBack(seen) };
  const heldUntil = (authorisation?.honouredUntil ?? authorisation?.heldUntil)?.toISOString() ?? null;
  const details: Record<PaymentStatus, Record<string, string | number | null>> = {
    requires_payment: {},
    authorised: { reference: authorisation?.reference ?? null, authorisedUntil: heldUntil },
    captured: { reference: capture?.reference ?? null, amountMinor: capture?.amount.amountMinor ?? null },
    partially_refunded: refund,
    refunded: refund,
    voided: {},
    failed: { code: failure?.code ?? null },
    expired: {},
  };
  const types: Record<PaymentStatus, PaymentEventType> = {
    requires_payment: 'checkout_opened',
    authorised: 'payment_authorised',
    captured: 'payment_captured',
    partially_refunded: 'payment_partially_refunded',
    refunded: 'payment_refunded',
    voided: 'payment_voided',
    failed: 'payment_failed',
    expired: 'payment_expired',
  };
  return { type: types[status], detail: details[status] };
}

// ── operations that nobody has heard the end of ──────────────────────────────────────────────────────────────────────

type OperationEnd = Parameters<typeof endOperation>[2];

function endOf(operation: PaymentOperation, before: Payment, seen: ProviderPayment): OperationEnd | null {
  if (operation.state !== 'unknown' && operation.state !== 'requested') return null;
  const { authorisation, capture } = seen;
  switch (operation.type) {
    case 'checkout':
      return null;
    case 'expire':
      return seen.checkout === 'expired' ? succeeded(null) : null;
    case 'authorise':
      if (!authorisation) return null;
      return authorisation.status === 'denied' ? declined(seen) : succeeded(authorisation.reference);
    case 'reauthorise':
      return authorisation && authorisation.reference !== before.authorisationReference
        ? succeeded(authorisation.reference)
        : null;
    case 'capture':
      if (capture?.status === 'done') return succeeded(capture.reference);
      return capture?.status === 'declined' ? declined(seen) : null;
    case 'void':
      return authorisation?.status === 'voided' ? succeeded(authorisation.reference) : null;
    case 'refund': {
      const refund = seen.refunds.find(({ operationId }) => operationId === operation.id);
      return refund?.status === 'done' ? succeeded(refund.reference) : null; // those that failed were taken back before
    }
  }
}

const succeeded = (providerReference: string | null): OperationEnd => ({ state: 'succeeded', providerReference });
const declined = ({ failure }: ProviderPayment): OperationEnd => ({
  state: 'failed',
  kind: 'declined',
  code: failure?.code ?? 'declined',
  message: failure?.message ?? 'The provider declined it.',
});

// ── what does not agree ──────────────────────────────────────────────────────────────────────────────────────────────

async function setAsideDisagreement(db: Db, payment: Payment, seen: ProviderPayment): Promise<void> {
  const expected = { ...payment.amount, amountMinor: payment.acceptedMinor ?? payment.amount.amountMinor };
  // Once it is captured, that is what counts: the hold was for what had been agreed.
  const found = seen.capture?.status === 'done' ? seen.capture.amount : seen.authorisation?.amount;
  if (!found || isSame(found, expected)) return;
  const kind: QuarantineKind = found.currency === expected.currency ? 'amount_differs' : 'currency_differs';
  const isNew = await quarantine(db, {
    paymentId: payment.id,
    webhookEventId: null,
    kind,
    expected,
    found,
    detail: `Order ${payment.orderNumber} is ${say(expected)}, and ${payment.provider} has ${say(found)}.`,
  });
  if (isNew)
    await recordPaymentEvent(db, {
      paymentId: payment.id,
      type: 'payment_quarantined',
      actor: 'system',
      detail: { kind },
    });
}

async function setAsideMove(db: Db, payment: Payment, status: PaymentStatus): Promise<void> {
  const isNew = await quarantine(db, {
    paymentId: payment.id,
    webhookEventId: null,
    kind: 'move_unexpected',
    expected: null,
    found: null,
    detail: `The payment of order ${payment.orderNumber} was ${payment.status}, and ${payment.provider} says ${status}.`,
  });
  if (isNew)
    await recordPaymentEvent(db, {
      paymentId: payment.id,
      type: 'payment_quarantined',
      actor: 'system',
      detail: { kind: 'move_unexpected' },
    });
}

const isSame = (a: Money, b: Money) => a.amountMinor === b.amountMinor && a.currency === b.currency;
const say = ({ amountMinor, currency }: Money) => `${decimalText(amountMinor, minorUnitDigits(currency))} ${currency}`;
