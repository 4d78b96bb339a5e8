import type { SearchResponse, TransactionInformation } from '@paypal/paypal-server-sdk';
import type { ProviderMovement } from './payment-gateway.ts';
import { known, malformed, toMoney } from './paypal-answers.ts';
import { toProviderError } from './paypal-errors.ts';

const longestWindowMs = 31 * 86_400_000;
const shortestWindowMs = 60_000;
const pageSize = 500; // the most that PayPal gives

export interface TransactionQuery {
  startDate: string;
  endDate: string;
  fields: string;
  balanceAffectingRecordsOnly: string;
  pageSize: number;
  page: number;
}

type TransactionSearch = (query: TransactionQuery) => Promise<SearchResponse>;

/** One line of PayPal's books. */
export interface PayPalMovement extends Omit<ProviderMovement, 'paymentId'> {
  /** The `custom_id` of the capture or refund. */
  customId: string | null;
}

/**
 * Captures and refunds within a time, in windows that PayPal accepts. A transaction shows up to 3 hours after it was made: whoever
 * compares leaves the last hours out.
 */
export async function* listPayPalMovements(
  search: TransactionSearch,
  from: Date,
  to: Date,
): AsyncGenerator<PayPalMovement> {
  const seen = new Set<string>(); // windows share their ends
  for (let startMs = from.getTime(); startMs < to.getTime(); startMs += longestWindowMs) {
    const endMs = Math.min(startMs + longestWindowMs, to.getTime());
    for await (const movement of listWindow(search, startMs, endMs)) {
      if (seen.has(movement.reference)) continue;
      seen.add(movement.reference);
      yield movement;
    }
  }
}

/** PayPal refuses a window with more than 10,000 transactions: it is read by halves. */
async function* listWindow(search: TransactionSearch, startMs: number, endMs: number): AsyncGenerator<PayPalMovement> {
  let page = 1;
  let pages = 1;
  do {
    try {
      const result = await search({
        startDate: new Date(startMs).toISOString(),
        endDate: new Date(endMs).toISOString(),
        fields: 'transaction_info',
        balanceAffectingRecordsOnly: 'Y',
        pageSize,
        page,
      });
      for (const { transactionInfo } of result.transactionDetails ?? []) {
        const movement = transactionInfo ? toMovement(transactionInfo) : null;
        if (movement) yield movement;
      }
      pages = result.totalPages ?? 1;
    } catch (error) {
      const isTooLarge = toProviderError(error, 'Listing transactions').code === 'RESULTSET_TOO_LARGE';
      if (!isTooLarge || endMs - startMs < 2 * shortestWindowMs) throw error;
      const middleMs = Math.floor((startMs + endMs) / 2);
      yield* listWindow(search, startMs, middleMs);
      yield* listWindow(search, middleMs, endMs);
      return;
    }
    page += 1;
  } while (page <= pages);
}

/** Null for what is neither: fees, payouts, holds, what is pending or was denied. */
function toMovement(transaction: TransactionInformation): PayPalMovement | null {
  const kind = kindOf(transaction);
  if (kind === null) return null;
  const { transactionAmount: amount, transactionInitiationDate: at } = transaction;
  if (!amount || at === undefined) throw malformed('a transaction without an amount or a date');
  return {
    kind,
    reference: known(transaction.transactionId, 'a transaction without an id'),
    relatedReference: transaction.paypalReferenceId ?? null,
    customId: transaction.customField ?? null,
    amount: toMoney({ ...amount, value: amount.value.replace(/^-/, '') }),
    at: new Date(at),
  };
}

/** `V` is a payment that was given back later as a whole; it was taken all the same. */
function kindOf(transaction: TransactionInformation): ProviderMovement['kind'] | null {
  const { transactionEventCode: code = '', transactionStatus: status = '', transactionAmount: amount } = transaction;
  if (!['S', 'V'].includes(status)) return null;
  const isOutgoing = amount?.value.startsWith('-') ?? false;
  if (code.startsWith('T00')) return isOutgoing ? null : 'capture'; // outgoing: a payment that the shop itself has made
  return code === 'T1107' || code === 'T1106' ? 'refund' : null; // by the shop, or by PayPal after a dispute
}
