import { z } from 'zod';
import { decimalText, minorUnitDigits } from './currency.ts';
import { type Money, moneySchema } from './money.ts';
import { type PaymentProvider, paymentProviderSchema } from './payment.ts';

/** What only a look into the provider's books shows. */
export const bookDifferences = ['missing_at_provider', 'unknown_to_us', 'amount_differs'] as const;
/** What our own ledger shows: something should have happened by now. */
export const ledgerDifferences = [
  'capture_overdue',
  'hold_not_released',
  'money_not_returned',
  'operation_stuck',
  'webhook_parked',
] as const;
export const differenceKindSchema = z.enum([...bookDifferences, ...ledgerDifferences]);
export type DifferenceKind = z.infer<typeof differenceKindSchema>;
export type BookDifference = (typeof bookDifferences)[number];
export type LedgerDifference = (typeof ledgerDifferences)[number];

const timeSchema = z.iso.datetime();

export const reconciliationRunSchema = z
  .object({
    id: z.uuid(),
    provider: paymentProviderSchema,
    from: timeSchema,
    to: timeSchema,
    state: z.enum(['running', 'done', 'failed']),
    startedAt: timeSchema,
    finishedAt: timeSchema.nullable(),
    movements: z.int().describe('Lines of the provider’s books, so far while it is running'),
    ofOthers: z.int().describe('Of these, what was sold elsewhere with the same account'),
    compared: z.int().describe('Payments of ours that were compared'),
    lookedAt: z.int().describe('Of these, what was looked at once more'),
    found: z.int().describe('Differences, new and old'),
    resolved: z.int().describe('Differences that are no longer there'),
    failure: z.string().nullable(),
  })
  .meta({ id: 'ReconciliationRun', description: 'One comparison of our ledger with the books of a provider.' });
export type ReconciliationRun = z.infer<typeof reconciliationRunSchema>;

export const differenceSchema = z
  .object({
    id: z.uuid(),
    kind: differenceKindSchema,
    provider: paymentProviderSchema,
    about: z.string().describe('What of the payment: `capture`, `refund`, …'),
    orderNumber: z.int().nullable(),
    reference: z.string().describe('The provider’s name of it, or ours: what to search for'),
    ours: moneySchema.nullable(),
    theirs: moneySchema.nullable(),
    owner: z.enum(['manager', 'admin']).describe('Whose it is to settle'),
    whatToDo: z.string(),
    firstSeenAt: timeSchema,
    lastSeenAt: timeSchema,
    resolvedAt: timeSchema.nullable(),
  })
  .meta({ id: 'ReconciliationDifference', description: 'What does not agree, and what to do about it.' });
export type Difference = z.infer<typeof differenceSchema>;

// ── the time that is compared ────────────────────────────────────────────────────────────────────────────────────────

const hour = 3_600_000;
const day = 24 * hour;

export interface ComparedTime {
  from: Date;
  to: Date;
}

/**
 * Two days, so that each moment is compared by two daily runs; further back to where the last good run ended, after days without
 * one, and to the oldest difference that is open, as only that time tells whether it is settled.
 */
export function usualTime(facts: {
  now: Date;
  /** How late money can show in the provider's books. */
  lagMs: number;
  lastGoodTo: Date | null;
  oldestOpen: Date | null;
}): ComparedTime {
  const to = facts.now.getTime() - facts.lagMs;
  const reachBack = (since: Date | null, longestMs: number) =>
    since === null ? to : Math.max(since.getTime() - hour, to - longestMs);
  const from = Math.min(to - 2 * day, reachBack(facts.lastGoodTo, 31 * day), reachBack(facts.oldestOpen, 7 * day));
  return { from: new Date(from), to: new Date(to) };
}

// ── what the money of a payment says ─────────────────────────────────────────────────────────────────────────────────

/** Captured and given back, in minor units. */
export interface Sums {
  captured: number;
  refunded: number;
}

export interface ComparedMoney {
  ours: Sums;
  /** What the provider's books have of it within the time compared. */
  books: Sums;
  /** What the provider says of the payment itself; null where it could not be asked. */
  object: Sums | null;
  /** What moved so surely within that time that the books must have it. */
  surelyInBooks: Sums;
}

export interface MoneyDifference {
  about: 'capture' | 'refund';
  kind: Extract<BookDifference, 'missing_at_provider' | 'amount_differs'>;
  oursMinor: number;
  theirsMinor: number;
}

/**
 * The books of a limited time may have less of a payment than there is, as the rest moved before or after; never more, and never
 * less than what surely moved within it. A payment is captured once, so of captures they have all or nothing.
 */
export function judgeMoney({ ours, books, object, surelyInBooks }: ComparedMoney): MoneyDifference[] {
  const judge = (about: 'capture' | 'refund', side: keyof Sums): MoneyDifference[] => {
    const differs = (theirsMinor: number): MoneyDifference[] => [
      { about, kind: theirsMinor === 0 ? 'missing_at_provider' : 'amount_differs', oursMinor: ours[side], theirsMinor },
    ];
    if (object && object[side] !== ours[side]) return differs(object[side]);
    if (books[side] > ours[side] || books[side] < surelyInBooks[side]) return differs(books[side]);
    return side === 'captured' && books.captured > 0 && books.captured !== ours.captured ? differs(books.captured) : [];
  };
  return [...judge('capture', 'captured'), ...judge('refund', 'refunded')];
}

// ── what to do ───────────────────────────────────────────────────────────────────────────────────────────────────────

export interface DifferenceFacts {
  kind: DifferenceKind;
  provider: PaymentProvider;
  about: string;
  orderNumber: number | null;
  reference: string;
  ours: Money | null;
  theirs: Money | null;
  detail: string | null;
}

const names: Record<PaymentProvider, string> = { stripe: 'Stripe', paypal: 'PayPal' };

/** Money is a manager's; how the engine is set up, the admin's. */
export function ownerOf(kind: DifferenceKind): 'manager' | 'admin' {
  return kind === 'operation_stuck' || kind === 'webhook_parked' || kind === 'capture_overdue' ? 'admin' : 'manager';
}

/** A sentence or two that somebody who does not know the engine can act on. */
export function whatToDo(difference: DifferenceFacts): string {
  const { kind, about, reference, detail } = difference;
  const provider = names[difference.provider];
  const order = difference.orderNumber === null ? 'an order' : `order ${difference.orderNumber}`;
  const ours = say(difference.ours);
  const theirs = say(difference.theirs);
  const isRefund = about === 'refund';
  const moved = isRefund ? 'given back' : 'taken';
  switch (kind) {
    case 'missing_at_provider':
      return isRefund
        ? `The ledger says that ${ours} of ${order} was given back, and ${provider} has no such refund. Look for ${reference} at ${provider}; if nothing was given back, do it there and tell the customer.`
        : `The ledger says that ${ours} was taken for ${order}, and ${provider} has no such payment. Look for ${reference} at ${provider}; if it is not there, the customer has not paid: ask them to pay again.`;
    case 'unknown_to_us':
      return `${provider} has ${theirs} ${moved} as ${reference}, which ${order === 'an order' ? 'names a payment that this engine has never had' : `belongs to ${order} and is not in its ledger`}. Look for it at ${provider}: ${isRefund ? 'find out who gave it back' : 'if the customer paid twice, give it back there'}; another installation with the same account also shows like this.`;
    case 'amount_differs':
      return isRefund
        ? `Of ${order}, ${provider} has ${theirs} given back and the ledger ${ours}. Look for ${reference} at ${provider} and settle the rest with the customer there.`
        : `For ${order}, ${provider} has ${theirs} taken and the ledger ${ours}. Look for ${reference} at ${provider}; what was taken too much, give back there.`;
    case 'capture_overdue':
      return `Order ${difference.orderNumber} is complete, and ${ours} is still not taken (${detail}). Look for ${reference} at ${provider}; if the hold is there, put right what ${provider} says and have it tried once more, ${retry(difference.orderNumber)}. Else ask the customer to pay.`;
    case 'hold_not_released':
      return `Order ${difference.orderNumber} is cancelled, and ${provider} still holds ${ours} of the customer’s. Have it tried once more, ${retry(difference.orderNumber)}, or void ${reference} at ${provider}.`;
    case 'money_not_returned':
      return `Order ${difference.orderNumber} is cancelled, and ${ours} of it is not given back. Have it tried once more, ${retry(difference.orderNumber)}, or refund ${reference} at ${provider}.`;
    case 'operation_stuck':
      return `The ${about} for ${order} did not end well: ${detail}. Put right what ${provider} says, then have it tried once more, ${retry(difference.orderNumber)}${isRefund ? '; a refund that has failed is asked for again' : ''}.`;
    case 'webhook_parked':
      return `${provider} told of ${detail}, which names a payment that this engine does not have. If another installation uses the same account, give each its own webhook endpoint; otherwise see the quarantine in three days.`;
  }
}

/** `POST /v1/orders/{number}/payment/retry` for people: who may do it, and how. */
const retry = (orderNumber: number | null) =>
  `by a manager with \`npx twolane payments retry ${orderNumber ?? 'ORDER'}\` or by its failed job in Bull Board`;

function say(money: Money | null): string {
  if (money === null) return 'an amount';
  return `${decimalText(money.amountMinor, minorUnitDigits(money.currency))} ${money.currency}`;
}
