import { createHash } from 'node:crypto';
import type { Lane } from '../../src/domain/lane.ts';
import type { PaymentProvider } from '../../src/domain/payment.ts';
import { createRandom } from '../support/random.ts';

/** What the customer makes of the checkout. */
export type Paying = 'pay' | 'late' | 'decline' | 'decline_then_pay' | 'leave' | 'two_tabs' | 'reopen' | 'after_cancel';
/** When somebody cancels: at which status of the order. */
export type CancelAt = 'awaiting_payment' | 'pending' | 'processing' | 'failed';
/** What a manager makes of an order that failed. */
export type AfterFailure = 'retry' | 'cancel' | 'leave';

/** All that happens to one order, as far as people do it. */
export interface OrderScript {
  index: number;
  provider: PaymentProvider;
  lane: Lane;
  sku: string;
  quantity: number;
  /** For the handler of the bots. */
  note: string;
  paying: Paying;
  payAfterMs: number;
  /** How often the customer's browser comes back from the provider, and where to. */
  returns: { page: 'success' | 'cancel'; times: number };
  cancel: { by: 'owner' | 'manager'; at: CancelAt; afterMs: number } | null;
  afterFailure: AfterFailure;
  /** Asked for when the order is captured, all at once; null is all that is left. */
  refunds: (number | null)[];
  /** What the provider decides, which is no fault of the wire. */
  outcome: 'capture_declined' | 'refund_failed' | null;
}

export const processNames = ['web-1', 'web-2', 'payments-1', 'payments-2', 'bots-1', 'bots-2', 'relay'] as const;
export type ProcessName = (typeof processNames)[number];

/** What happens to the engine before the order of that index is placed. */
export interface Blow {
  before: number;
  kind: 'kill' | 'wipe_queues' | 'remove_bot';
  victim: ProcessName | null;
}

export interface StormScript {
  orders: OrderScript[];
  blows: Blow[];
}

const skus = ['espresso', 'flat-white', 'granola-bowl', 'avocado-toast', 'croissant'];

/** The same seed is the same script, whatever the machine makes of it. */
export function writeStormScript(seed: number, orderCount: number): StormScript {
  const random = createRandom(seed);
  const orders = Array.from({ length: orderCount }, (_, index) => writeOrder(index, random));
  return { orders, blows: writeBlows(orderCount, random) };
}

function writeOrder(index: number, random: () => number): OrderScript {
  const chance = (share: number) => random() < share;
  const between = (from: number, to: number) => Math.round(from + random() * (to - from));
  const cancel = chance(0.3) ? writeCancel(random) : null;
  const isHandlerBad = chance(0.12) || cancel?.at === 'failed';
  const paying = cancel?.at === 'awaiting_payment' && chance(0.6) ? 'after_cancel' : choosePaying(random);
  return {
    index,
    provider: index % 2 === 0 ? 'stripe' : 'paypal',
    lane: chance(0.3) ? 'vip' : 'normal',
    sku: pick(skus, random),
    quantity: between(1, 3),
    note: isHandlerBad ? writeBadNote(cancel, random) : cancel?.at === 'processing' ? 'takes 800-2000' : 'takes 10-50',
    paying,
    payAfterMs: paying === 'late' ? between(2_000, 8_000) : between(0, 400),
    returns: { page: paying === 'leave' || chance(0.1) ? 'cancel' : 'success', times: pick([0, 1, 1, 1, 2], random) },
    cancel,
    afterFailure: pick(['retry', 'cancel', 'leave'], random),
    refunds: chance(0.25) ? pick([[null], [100], [100, 100], [60, 60, null], [null, null]], random) : [],
    // A refund that fails at Stripe is pending for a day first.
    outcome: chance(0.04)
      ? pick(index % 2 === 0 ? ['capture_declined'] : ['capture_declined', 'refund_failed'], random)
      : null,
  };
}

function choosePaying(random: () => number): Paying {
  const shares: [Paying, number][] = [
    ['leave', 0.06],
    ['decline', 0.08],
    ['decline_then_pay', 0.05],
    ['late', 0.06],
    ['two_tabs', 0.1],
    ['reopen', 0.04],
  ];
  let rest = random();
  for (const [paying, share] of shares) {
    if (rest < share) return paying;
    rest -= share;
  }
  return 'pay';
}

function writeCancel(random: () => number): NonNullable<OrderScript['cancel']> {
  const at = pick(['awaiting_payment', 'awaiting_payment', 'pending', 'processing', 'failed'] as const, random);
  const mayOwner = at === 'awaiting_payment' || at === 'pending';
  return { at, by: mayOwner && random() < 0.7 ? 'owner' : 'manager', afterMs: Math.round(random() * 200) };
}

function writeBadNote(cancel: OrderScript['cancel'], random: () => number): string {
  return cancel?.at === 'failed' ? 'refuses' : pick(['fails 1 times', 'fails 2 times', 'refuses'], random);
}

/** Every process dies, those that handle money oftener; the queues are lost once, and the relay dies after that. */
function writeBlows(orderCount: number, random: () => number): Blow[] {
  const blows: Blow[] = [];
  const somewhere = (from: number, to: number) => Math.floor(orderCount * (from + random() * (to - from)));
  const rounds = Math.max(1, Math.round(orderCount / 60));
  for (let round = 0; round < rounds; round++) {
    const from = 0.08 + (0.9 * round) / rounds;
    const to = 0.08 + (0.9 * (round + 1)) / rounds;
    for (const victim of processNames) blows.push({ before: somewhere(from, to), kind: 'kill', victim });
    blows.push({ before: somewhere(from, to), kind: 'remove_bot', victim: null });
  }
  blows.push({ before: somewhere(0.45, 0.55), kind: 'wipe_queues', victim: null });
  blows.push({ before: somewhere(0.8, 0.95), kind: 'kill', victim: 'relay' });
  return blows.toSorted((a, b) => a.before - b.before);
}

const pick = <Item>(items: readonly Item[], random: () => number): Item =>
  items[Math.floor(random() * items.length)] as Item; // its index is within

export const digestOf = (what: unknown): string =>
  createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 16);
