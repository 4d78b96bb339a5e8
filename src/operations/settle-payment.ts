import { randomUUID } from 'node:crypto';
import { endUnheardOperations, listCurrentOperations, type PaymentOperation } from '../db/payment-operations.ts';
import {
  claimPayment,
  endPaymentLook,
  failPaymentLook,
  findPayment,
  type Payment,
  renewPaymentLease,
} from '../db/payments.ts';
import { isPaymentQuarantined } from '../db/quarantine.ts';
import type { PaymentOperationType } from '../domain/payment.ts';
import { nextPaymentStep, type PaymentFacts } from '../payments/next-step.ts';
import { type PaymentGateway, ProviderError, type ProviderPayment } from '../payments/payment-gateway.ts';
import { askForLook } from './ask-for-look.ts';
import { askProvider, referencesOf } from './ask-provider.ts';
import { LeaseLostError } from './lease-lost-error.ts';
import { cancelForPayment, giveUpPayment, releasePaidOrder } from './move-paid-order.ts';
import type { PaymentDeps } from './payment-deps.ts';
import { recordSeenPayment } from './record-seen-payment.ts';

export interface SettleOptions {
  /** The customer is there and wants to pay: a checkout that is over is opened anew. */
  wantsCheckout?: boolean;
  /** Somebody has looked, and says that what was refused shall be tried once more. */
  isRetriedByHand?: boolean;
}

/** The provider said no, and no repeat will change that: somebody has to look. */
export class PaymentStuckError extends Error {
  constructor(payment: Payment, reason: string, options: ErrorOptions = {}) {
    super(`order ${payment.orderNumber}, ${payment.provider}: ${reason}`, options);
    this.name = 'PaymentStuckError';
  }
}

const longestPauseMs = 600_000;
/** How long until somebody is reminded of what only they can mend. */
const stuckForMs = 86_400_000;
/** The lease outlasts a call to the provider. */
const leaseMsOf = ({ payments }: PaymentDeps) => payments.timeoutMs + 5_000;
/** More steps than any payment has: beyond, the provider and the ledger contradict each other. */
const maxSteps = 12;

/**
 * Brings a payment to where its order wants it, whatever has happened before. Every trigger — the return of the customer, a webhook,
 * the janitor, a cancel, a completion, a refund — comes down to this:
 *
 * 1. One process at a time has the lease of a payment. Who finds it taken has nothing to do: the request was counted (`sync_no`)
 *    before, and who has the lease looks again for as long as there are requests it has not seen.
 * 2. The provider's object is read, and what it says is written down (`recordSeenPayment`).
 * 3. The next step is decided from that and from the status of the order alone (`nextPaymentStep`).
 * 4. It is made, and from 2. on again, until there is nothing to do. A step that changes something at the provider is written down
 *    before (`askProvider`); one that ends unheard is cleared up by the next reading.
 *
 * `taken`: another process is at it. Throws `ProviderError` where a repeat may help, `PaymentStuckError` where it will not.
 */
export async function settlePayment(
  deps: PaymentDeps,
  paymentId: string,
  options: SettleOptions = {},
): Promise<'settled' | 'taken'> {
  for (;;) {
    const leaseId = randomUUID();
    const syncedNo = await claimPayment(deps.pool, paymentId, leaseId, leaseMsOf(deps));
    if (syncedNo === null) return 'taken';
    let nextSyncAt: Date | null;
    try {
      nextSyncAt = await look(deps, paymentId, leaseId, options);
    } catch (error) {
      // What is stuck is said again once a day, and not every hour.
      const nextSyncAt = error instanceof PaymentStuckError ? new Date(Date.now() + stuckForMs) : null;
      await failPaymentLook(deps.pool, paymentId, leaseId, { nextSyncAt, pauseMs: pauseOf(error) });
      if (error instanceof LeaseLostError) await lookAgain(deps, paymentId);
      throw error;
    }
    const end = await endPaymentLook(deps.pool, paymentId, leaseId, { syncedNo, nextSyncAt });
    if (end === 'lost') await lookAgain(deps, paymentId);
    if (end !== 'has more') return 'settled';
  }
}

/** As long as a provider wants to be left alone, within reason. */
function pauseOf(error: unknown): number | null {
  const pauseMs = error instanceof ProviderError ? error.retryAfterMs : null;
  return pauseMs === null ? null : Math.min(pauseMs, longestPauseMs);
}

/** Something may have been asked after another process had looked. */
async function lookAgain({ pool, wakeRelay }: PaymentDeps, paymentId: string): Promise<void> {
  await pool.transaction((transaction) => askForLook(transaction, paymentId));
  wakeRelay();
}

/** Goes on until there is nothing to do; gives the time of the next look. */
async function look(
  deps: PaymentDeps,
  paymentId: string,
  leaseId: string,
  options: SettleOptions,
): Promise<Date | null> {
  const keepLease = async () => {
    if (!(await renewPaymentLease(deps.pool, paymentId, leaseId, leaseMsOf(deps)))) throw new LeaseLostError();
  };
  let unheard = 0;
  let isRetriedByHand = options.isRetriedByHand ?? false;
  for (let count = 0; count < maxSteps; count += 1) {
    const { payment: before, gateway } = await getPayment(deps, paymentId);
    await keepLease();
    const references = referencesOf(before);
    const seen = references && (await gateway.read(references));
    if (seen) await recordSeenPayment(deps.pool, { payment: before, leaseId, seen });
    const operations = await listCurrentOperations(deps.pool, paymentId);
    // Anew, and last: the next step needs the names of what was just seen. A refund may be asked for as soon as the capture is written.
    const { payment } = await getPayment(deps, paymentId);
    const facts = await gatherFacts(deps, {
      payment,
      gateway,
      seen,
      operations,
      options: { ...options, isRetriedByHand },
    });
    const step = nextPaymentStep(facts);
    switch (step.kind) {
      case 'wait': {
        const until = waitFor(deps, step.until, { operations, seen, now: facts.now });
        if (until === null) await endUnheardOperations(deps.pool, idsOf(operations));
        return until;
      }
      case 'stuck':
        throw new PaymentStuckError(payment, step.reason);
      case 'release_order':
        await releasePaidOrder(deps, payment);
        break;
      case 'cancel_order':
        await cancelForPayment(deps, payment, step.reason);
        break;
      case 'give_up': {
        const until = waitFor(deps, null, { operations, seen, now: facts.now });
        if (until) return until; // what was asked last may still happen
        await giveUpPayment(deps, payment, step, idsOf(operations));
        return null;
      }
      case 'ask':
        try {
          const { operation: type, amount } = step;
          isRetriedByHand = false; // once: what is refused again stays refused
          await askProvider(deps, { payment, leaseId, gateway, type, amount, operations, keepLease });
        } catch (error) {
          if (!(error instanceof ProviderError)) throw error;
          // A state that is not what we read, or an end that was not heard: reading again tells.
          if (error.kind === 'unknown' || error.kind === 'wrong_state' || error.kind === 'not_found') unheard += 1;
          if (error.kind === 'unauthorised')
            deps.log.error({ provider: payment.provider, code: error.code }, 'provider does not accept our keys');
          if (error.kind === 'busy' || error.kind === 'unauthorised' || unheard > 1) throw error;
          const isNo = error.kind === 'declined' || error.kind === 'refused';
          if (isNo && payment.orderStatus !== 'awaiting_payment')
            throw new PaymentStuckError(payment, error.message, { cause: error });
          if (error.kind === 'refused')
            deps.log.error({ orderNumber: payment.orderNumber, code: error.code }, 'provider refused');
        }
    }
  }
  throw new Error(`payment ${paymentId} did not come to rest in ${maxSteps} steps`);
}

async function getPayment(
  { pool, gateways }: PaymentDeps,
  paymentId: string,
): Promise<{ payment: Payment; gateway: PaymentGateway }> {
  const payment = await findPayment(pool, paymentId);
  if (!payment) throw new TypeError(`there is no payment ${paymentId}`);
  const gateway = gateways[payment.provider];
  if (!gateway) throw new PaymentStuckError(payment, `${payment.provider} is not set up any more`);
  return { payment, gateway };
}

async function gatherFacts(
  { pool, payments }: PaymentDeps,
  look: {
    payment: Payment;
    gateway: PaymentGateway;
    seen: ProviderPayment | null;
    operations: readonly PaymentOperation[];
    options: SettleOptions;
  },
): Promise<PaymentFacts> {
  const { payment, gateway, seen, operations, options } = look;
  const refund = operations.find(
    ({ type, state, id }) =>
      type === 'refund' &&
      (state === 'requested' || state === 'unknown') &&
      !seen?.refunds.some(({ operationId }) => operationId === id),
  );
  return {
    orderStatus: payment.orderStatus,
    amount: { ...payment.amount, amountMinor: payment.acceptedMinor ?? payment.amount.amountMinor },
    createdAt: payment.createdAt,
    checkoutExpiresAt: payment.checkoutExpiresAt,
    hasHold: payment.status === 'authorised',
    seen,
    isQuarantined: await isPaymentQuarantined(pool, payment.id),
    wantsCheckout: options.wantsCheckout ?? false,
    hasReauthorised: operations.some(({ type, state }) => type === 'reauthorise' && state === 'succeeded'),
    dueRefund: refund?.amount ?? null,
    refused: options.isRetriedByHand ? new Set() : refusedOf(operations),
    isRetriedByHand: options.isRetriedByHand ?? false,
    abilities: { canExpireCheckout: gateway.canExpireCheckout, canReauthorise: gateway.canReauthorise },
    policy: payments.policy,
    marginMs: payments.marginMs,
    now: new Date(),
  };
}

/** The types whose last operation was refused or declined. */
function refusedOf(operations: readonly PaymentOperation[]): ReadonlySet<PaymentOperationType> {
  const last = new Map(operations.map((operation) => [operation.type, operation]));
  const refused = [...last.values()].filter(
    ({ type, state, errorKind }) =>
      state === 'failed' &&
      // A hold that somebody has renewed already says so by its state.
      (errorKind === 'refused' || errorKind === 'declined' || (type === 'reauthorise' && errorKind === 'wrong_state')),
  );
  return new Set(refused.map(({ type }) => type));
}

/** How long a request to a provider may still be under way after we have stopped listening, in time-outs of ours. */
const lateEffectTimeouts = 12;
const lookAgainMs = 15_000;
const refundPendingMs = 300_000;

/** When to look again: sooner than planned while something that was asked may still happen. */
function waitFor(
  { payments }: PaymentDeps,
  until: Date | null,
  { operations, seen, now }: { operations: readonly PaymentOperation[]; seen: ProviderPayment | null; now: Date },
): Date | null {
  const lateEffectMs = lateEffectTimeouts * payments.timeoutMs;
  const isUnheard = operations.some(
    ({ state, firstAskedAt }) =>
      state === 'unknown' && firstAskedAt && now.getTime() - firstAskedAt.getTime() < lateEffectMs,
  );
  const isRefundPending = seen?.refunds.some(({ status }) => status === 'pending') ?? false;
  const soonMs = isUnheard ? Math.min(lookAgainMs, lateEffectMs) : isRefundPending ? refundPendingMs : null;
  if (soonMs === null) return until;
  const soon = new Date(now.getTime() + soonMs);
  return until !== null && until < soon ? until : soon;
}

const idsOf = (operations: readonly PaymentOperation[]) => operations.map(({ id }) => id);
