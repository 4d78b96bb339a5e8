import type { OutcomeKind } from '../fault-script.ts';
import type { LedgerEntryKind } from '../ledger.ts';
import type { SandboxContext } from '../sandbox-provider.ts';
import { type Amount, isoMinorOf } from './paypal-amounts.ts';
import {
  type EventSource,
  orderNumberOf,
  type PayPalAuthorisation,
  type PayPalCapture,
  type PayPalEventType,
  type PayPalObjects,
  type PayPalOrder,
  type PayPalRefund,
} from './paypal-objects.ts';

export const hourMs = 60 * 60 * 1000;
export const dayMs = 24 * hourMs;

/** The merchant's account: everything in it, and what happens outside when something in it changes. */
export interface PayPalAccount {
  objects: PayPalObjects;
  nowMs(): number;
  newId(): string;
  /** The page on which the customer approves. */
  checkoutUrl(orderId: string): string;
  announce(type: PayPalEventType, source: EventSource): void;
  writeLedger(kind: LedgerEntryKind, orderId: string, reference: string, amount: Amount): void;
  /** What a script wants this step of this order to end with, if not well. */
  takeOutcome(operation: 'capture' | 'refund', orderId: string): OutcomeKind | null;
}

const upperCase = '0123456789ABCDEFGHJKLMNPQRSTUVWXYZ';

export function openAccount(
  { clock, ids, ledger, baseUrl }: Pick<SandboxContext, 'clock' | 'ids' | 'ledger' | 'baseUrl'>,
  objects: PayPalObjects,
  effects: Pick<PayPalAccount, 'announce' | 'takeOutcome'>,
): PayPalAccount {
  return {
    objects,
    nowMs: () => clock.nowMs(),
    newId: () => ids.next('', 17, upperCase),
    checkoutUrl: (orderId) => `${baseUrl()}/sandbox/checkout/paypal/${orderId}`,
    announce: effects.announce,
    takeOutcome: effects.takeOutcome,
    writeLedger: (kind, orderId, reference, amount) => {
      const order = objects.orders.get(orderId);
      ledger.write({
        provider: 'paypal',
        kind,
        paymentId: order?.customId ?? null,
        orderNumber: order ? orderNumberOf(order) : null,
        reference,
        amountMinor: isoMinorOf(amount),
        currency: amount.currency,
      });
    },
  };
}

export interface PaymentsOfOrder {
  authorisations: PayPalAuthorisation[];
  captures: PayPalCapture[];
  refunds: PayPalRefund[];
}

/** All of them, oldest first. */
export function paymentsOf({ objects }: PayPalAccount, order: PayPalOrder): PaymentsOfOrder {
  const known = <Kept>(kept: Kept | undefined) => kept !== undefined;
  return {
    authorisations: order.authorisationIds.map((id) => objects.authorisations.get(id)).filter(known),
    captures: order.captureIds.map((id) => objects.captures.get(id)).filter(known),
    refunds: order.refundIds.map((id) => objects.refunds.get(id)).filter(known),
  };
}
