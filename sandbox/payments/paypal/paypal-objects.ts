import type { SandboxContext } from '../sandbox-provider.ts';
import type { Collection } from '../sandbox-store.ts';
import type { Amount } from './paypal-amounts.ts';

// Plain JSON, as it is kept. Times are milliseconds of the sandbox's clock.

export type OrderStatus = 'CREATED' | 'PAYER_ACTION_REQUIRED' | 'APPROVED' | 'COMPLETED';

export interface PayPalOrder {
  id: string;
  intent: 'AUTHORIZE' | 'CAPTURE';
  status: OrderStatus;
  /** With `payment_source.paypal` the link to the customer's page is called `payer-action`, without it `approve`. */
  withPaymentSource: boolean;
  amount: Amount;
  referenceId: string;
  description: string | null;
  customId: string | null;
  invoiceId: string | null;
  returnUrl: string;
  cancelUrl: string;
  /** The customer chose something to pay with that will be declined. */
  declining: boolean;
  /** The issue of the latest authorise or capture that the customer's bank declined. */
  latestDecline: string | null;
  createdAt: number;
  updatedAt: number;
  approvedAt: number | null;
  authorisationIds: string[];
  captureIds: string[];
  refundIds: string[];
}

export interface PayPalAuthorisation {
  id: string;
  orderId: string;
  /** The one that this renewed; null for the first. */
  renewedId: string | null;
  status: 'CREATED' | 'PARTIALLY_CAPTURED' | 'CAPTURED' | 'VOIDED';
  /** `VOIDED` because its time was over: PayPal has no status of its own for that. */
  expired: boolean;
  amount: Amount;
  customId: string | null;
  invoiceId: string | null;
  createdAt: number;
  updatedAt: number;
  expiresAt: number;
}

export interface PayPalCapture {
  id: string;
  orderId: string;
  authorisationId: string | null;
  status: 'COMPLETED' | 'DECLINED' | 'PENDING' | 'PARTIALLY_REFUNDED' | 'REFUNDED';
  amount: Amount;
  refundedUnits: number;
  finalCapture: boolean;
  customId: string | null;
  invoiceId: string | null;
  createdAt: number;
  updatedAt: number;
  /** When a pending one is completed by itself. */
  settlesAt: number | null;
}

export interface PayPalRefund {
  id: string;
  captureId: string;
  orderId: string;
  status: 'COMPLETED' | 'PENDING' | 'FAILED';
  amount: Amount;
  /** Of this capture, with this one. */
  totalRefundedUnits: number;
  customId: string | null;
  invoiceId: string | null;
  noteToPayer: string | null;
  createdAt: number;
  updatedAt: number;
  settlesAt: number | null;
}

export interface PayPalObjects {
  orders: Collection<PayPalOrder>;
  authorisations: Collection<PayPalAuthorisation>;
  captures: Collection<PayPalCapture>;
  refunds: Collection<PayPalRefund>;
}

export function openObjects(store: SandboxContext['store']): PayPalObjects {
  return {
    orders: store.collection('paypal-orders'),
    authorisations: store.collection('paypal-authorisations'),
    captures: store.collection('paypal-captures'),
    refunds: store.collection('paypal-refunds'),
  };
}

/** What is told to the engine. */
export type PayPalEventType =
  | 'CHECKOUT.ORDER.APPROVED'
  | 'PAYMENT.AUTHORIZATION.CREATED'
  | 'PAYMENT.AUTHORIZATION.VOIDED'
  | 'PAYMENT.CAPTURE.COMPLETED'
  | 'PAYMENT.CAPTURE.PENDING'
  | 'PAYMENT.CAPTURE.DENIED'
  | 'PAYMENT.CAPTURE.REFUNDED';

/** What it is about. */
export type EventSource =
  | { order: PayPalOrder }
  | { authorisation: PayPalAuthorisation }
  | { capture: PayPalCapture }
  | { refund: PayPalRefund };

/** Our number of the order: the engine puts it into the description (`Order 1042`), others into the invoice id. */
export function orderNumberOf(order: Pick<PayPalOrder, 'description' | 'invoiceId'>): number | null {
  const digits = /\d+/.exec(order.description ?? '') ?? /\d+/.exec(order.invoiceId ?? '');
  return digits ? Number(digits[0]) : null;
}
