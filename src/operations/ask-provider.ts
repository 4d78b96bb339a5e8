import { recordPaymentEvent } from '../db/payment-events.ts';
import {
  endOperation,
  insertOperation,
  noteAsked,
  noteWithoutEffect,
  type PaymentOperation,
} from '../db/payment-operations.ts';
import { lockLeasedPayment, type Payment, saveCheckout } from '../db/payments.ts';
import type { Money } from '../domain/money.ts';
import type { PaymentOperationType } from '../domain/payment.ts';
import { type PaymentGateway, type PaymentReferences, ProviderError } from '../payments/payment-gateway.ts';
import { LeaseLostError } from './lease-lost-error.ts';
import type { PaymentDeps } from './payment-deps.ts';

export interface Asking {
  payment: Payment;
  leaseId: string;
  gateway: PaymentGateway;
  type: PaymentOperationType;
  amount: Money;
  /** What is not at its end, and the last of each type; read after the provider was. */
  operations: readonly PaymentOperation[];
  /** Fails when the lease of the payment is not ours any more. Called last before the provider is. */
  keepLease(): Promise<void>;
}

/** A key is left alone some time before the provider forgets it. */
const keyMarginMs = 600_000;
/** Stripe repeats a 500 for as long as it knows the key: after so many, and a look that says it is not done, the key is given up. */
const askedAtMost = 6;

/**
 * Asks the provider for one thing.
 *
 * 1. It is written down, with the key that it will have for good. What was asked before and has no end yet is asked again by its own key.
 * 2. That it is being asked is committed: whoever comes after a crash knows that it may have happened, and reads first.
 * 3. The provider is asked.
 * 4. A success, a clear refusal: its end. Anything else leaves it open (`unknown`); reading from the provider tells.
 *
 * Throws the `ProviderError` that it met.
 */
export async function askProvider(deps: PaymentDeps, asking: Asking): Promise<void> {
  const operation = await openOperation(deps, asking);
  await noteAsked(deps.pool, operation.id);
  await asking.keepLease();
  try {
    if (operation.type === 'checkout') await openCheckout(deps, asking, operation);
    else {
      await carryOut(asking, operation);
      // A refund that was taken up may still fail: what becomes of it, reading tells.
      if (operation.type !== 'refund')
        await endOperation(deps.pool, operation.id, { state: 'succeeded', providerReference: null });
    }
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    if (operation.type === 'checkout' && keyMeansAnother.has(error.code)) return giveUpKey(deps, operation);
    const isWithoutEffect = error.kind === 'busy' || error.kind === 'unauthorised';
    if (isWithoutEffect) await noteWithoutEffect(deps.pool, operation);
    if (isWithoutEffect || error.kind === 'unknown') throw error;
    await deps.pool.transaction(async (transaction) => {
      const { kind, code, message } = error;
      await endOperation(transaction, operation.id, { state: 'failed', kind, code, message });
      // A refund was promised to somebody: whatever ends it is said.
      if (kind === 'declined' || kind === 'refused' || operation.type === 'refund')
        await recordPaymentEvent(transaction, {
          paymentId: asking.payment.id,
          type: 'provider_refused',
          actor: asking.payment.provider,
          detail: { operation: operation.type, kind, code, message },
        });
    });
    throw error;
  }
}

/** The request that this key once stood for was another one: the settings have changed since. */
const keyMeansAnother = new Set(['idempotency_error', 'DUPLICATE_REQUEST_ID']);

/** A checkout that nobody has the address of is harmless: the next look opens another one. */
function giveUpKey({ pool }: PaymentDeps, operation: PaymentOperation): Promise<void> {
  const message = 'Its key was used with other settings.';
  return endOperation(pool, operation.id, { state: 'failed', kind: 'superseded', code: 'key_given_up', message });
}

/** The operation that is open already, with the amount that it was opened with; else a new one. */
async function openOperation({ pool }: PaymentDeps, asking: Asking): Promise<PaymentOperation> {
  const { payment, gateway, type, amount, operations } = asking;
  const isOpen = ({ state }: PaymentOperation) => state === 'requested' || state === 'unknown';
  let former = operations.find((operation) => operation.type === type && isOpen(operation));
  for (const open of operations.filter(isOpen)) {
    // A look has just said that it did not happen. If it still does, the provider lets only one of the two through.
    const isOvertaken = open.type !== type && open.type !== 'refund';
    const isWornOut = open === former && !isRepeatable(open, gateway);
    if (!isOvertaken && !isWornOut) continue;
    const code = isOvertaken ? 'overtaken' : 'key_given_up';
    await endOperation(pool, open.id, { state: 'failed', kind: 'superseded', code, message: `Next: ${type}.` });
    if (isWornOut) {
      const { requestedBy, reason } = open;
      return insertOperation(pool, { paymentId: payment.id, type, amount: open.amount, requestedBy, reason });
    }
    if (open === former) former = undefined;
  }
  return former ?? insertOperation(pool, { paymentId: payment.id, type, amount, requestedBy: 'system', reason: null });
}

function isRepeatable(operation: PaymentOperation, gateway: PaymentGateway): boolean {
  const ageMs = operation.firstAskedAt ? Date.now() - operation.firstAskedAt.getTime() : 0;
  if (ageMs > gateway.keyLifeMs[operation.type] - keyMarginMs) return false;
  return operation.askedCount < askedAtMost || operation.type === 'refund'; // two refunds of one would both be carried out
}

async function openCheckout(
  { pool, payments }: PaymentDeps,
  { payment, leaseId, gateway }: Asking,
  operation: PaymentOperation,
): Promise<void> {
  const checkout = await gateway.createCheckout({
    paymentId: payment.id,
    orderNumber: payment.orderNumber,
    amount: operation.amount,
    // From the operation: a repeat with the same key has to say the same.
    expiresAt: new Date(operation.createdAt.getTime() + payments.checkoutMs),
    ...payments.returnUrls(payment.provider, payment.orderNumber),
    idempotencyKey: operation.idempotencyKey,
  });
  await pool.transaction(async (transaction) => {
    if (!(await lockLeasedPayment(transaction, payment.id, leaseId))) throw new LeaseLostError(); // an older one than there is now
    await saveCheckout(transaction, payment.id, payment.provider, checkout);
    await endOperation(transaction, operation.id, { state: 'succeeded', providerReference: checkout.reference });
    await recordPaymentEvent(transaction, {
      paymentId: payment.id,
      type: 'checkout_opened',
      actor: 'system',
      detail: { reference: checkout.reference, expiresAt: checkout.expiresAt.toISOString() },
    });
  });
}

async function carryOut({ payment, gateway }: Asking, operation: PaymentOperation): Promise<void> {
  const references = referencesOf(payment);
  if (!references) throw new TypeError(`payment ${payment.id} has no checkout to ${operation.type}`);
  const { amount, idempotencyKey } = operation;
  switch (operation.type) {
    case 'checkout':
      return;
    case 'expire':
      return gateway.expireCheckout(references, idempotencyKey);
    case 'authorise':
      return gateway.authorise(references, idempotencyKey);
    case 'reauthorise':
      return gateway.reauthorise(references, amount, idempotencyKey);
    case 'capture':
      return gateway.capture(references, amount, idempotencyKey);
    case 'void':
      return gateway.void(references, idempotencyKey);
    case 'refund':
      return gateway.refund(references, { operationId: operation.id, amount }, idempotencyKey);
  }
}

/** Null before there is a checkout. */
export function referencesOf(payment: Payment): PaymentReferences | null {
  const { checkoutReference: checkout, authorisationReference: authorisation, captureReference: capture } = payment;
  return checkout === null ? null : { checkout, authorisation, capture };
}
