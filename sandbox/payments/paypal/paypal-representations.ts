import { type PayPalAccount, paymentsOf } from './paypal-account.ts';
import { type Amount, writeAmount } from './paypal-amounts.ts';
import {
  orderNumberOf,
  type PayPalAuthorisation,
  type PayPalCapture,
  type PayPalOrder,
  type PayPalRefund,
} from './paypal-objects.ts';

/** How objects look on the wire, in full. */
export interface Wire {
  account: PayPalAccount;
  baseUrl(): string;
  /** A time of the sandbox, as it is said outside. */
  time(ms: number): string;
}

type Json = Record<string, unknown>;

const payerId = 'SANDBOXPAYER1';
const merchantId = 'SANDBOXSHOP01';

export function orderJson(wire: Wire, order: PayPalOrder): Json {
  const { authorisations, captures, refunds } = paymentsOf(wire.account, order);
  const approved = order.approvedAt !== null;
  const payer = {
    email_address: 'customer@example.com',
    payer_id: payerId,
    name: { given_name: 'Sandy', surname: 'Box' },
  };
  return {
    create_time: wire.time(order.createdAt),
    ...(order.updatedAt !== order.createdAt && { update_time: wire.time(order.updatedAt) }),
    id: order.id,
    intent: order.intent,
    status: order.status,
    ...((order.withPaymentSource || approved) && {
      payment_source: {
        paypal: approved
          ? { email_address: payer.email_address, account_id: payerId, account_status: 'VERIFIED', name: payer.name }
          : {},
      },
    }),
    ...(approved && { payer }),
    purchase_units: [
      {
        reference_id: order.referenceId,
        amount: writeAmount(order.amount),
        payee: { email_address: 'shop@example.com', merchant_id: merchantId },
        ...(order.description !== null && { description: order.description }),
        ...namesOf(order),
        ...(order.latestDecline !== null && {
          most_recent_errors: [{ issue: order.latestDecline, description: 'The instrument was declined.' }],
        }),
        ...(authorisations.length + captures.length > 0 && {
          payments: {
            ...(authorisations.length > 0 && {
              authorizations: authorisations.map((each) => authorisationJson(wire, each)),
            }),
            ...(captures.length > 0 && { captures: captures.map((each) => captureJson(wire, each)) }),
            ...(refunds.length > 0 && { refunds: refunds.map((each) => refundJson(wire, each)) }),
          },
        }),
      },
    ],
    links: orderLinks(wire, order),
  };
}

function orderLinks(wire: Wire, order: PayPalOrder) {
  const self = `${wire.baseUrl()}/v2/checkout/orders/${order.id}`;
  const step = order.intent === 'AUTHORIZE' ? 'authorize' : 'capture';
  const payable = order.status !== 'COMPLETED';
  return [
    { href: self, rel: 'self', method: 'GET' },
    ...(payable && (order.approvedAt === null || order.latestDecline !== null)
      ? [
          {
            href: wire.account.checkoutUrl(order.id),
            rel: order.withPaymentSource ? 'payer-action' : 'approve',
            method: 'GET',
          },
        ]
      : []),
    ...(payable ? [{ href: `${self}/${step}`, rel: step, method: 'POST' }] : []),
  ];
}

export function authorisationJson(wire: Wire, authorisation: PayPalAuthorisation): Json {
  const self = `${wire.baseUrl()}/v2/payments/authorizations/${authorisation.id}`;
  const held = authorisation.status === 'CREATED' || authorisation.status === 'PARTIALLY_CAPTURED';
  return {
    status: authorisation.status,
    id: authorisation.id,
    amount: writeAmount(authorisation.amount),
    ...namesOf(authorisation),
    seller_protection: sellerProtection,
    expiration_time: wire.time(authorisation.expiresAt),
    links: [
      { href: self, rel: 'self', method: 'GET' },
      ...(held ? ['capture', 'void', 'reauthorize'] : []).map((rel) => ({
        href: `${self}/${rel}`,
        rel,
        method: 'POST',
      })),
      { href: `${wire.baseUrl()}/v2/checkout/orders/${authorisation.orderId}`, rel: 'up', method: 'GET' },
    ],
    create_time: wire.time(authorisation.createdAt),
    update_time: wire.time(authorisation.updatedAt),
    supplementary_data: { related_ids: { order_id: authorisation.orderId } },
  };
}

export function captureJson(wire: Wire, capture: PayPalCapture): Json {
  const self = `${wire.baseUrl()}/v2/payments/captures/${capture.id}`;
  const up =
    capture.authorisationId === null
      ? `${wire.baseUrl()}/v2/checkout/orders/${capture.orderId}`
      : `${wire.baseUrl()}/v2/payments/authorizations/${capture.authorisationId}`;
  const fee = feeOf(capture.amount);
  return {
    id: capture.id,
    status: capture.status,
    ...(capture.status === 'PENDING' && { status_details: { reason: 'PENDING_REVIEW' } }),
    ...(capture.status === 'DECLINED' && { status_details: { reason: 'DECLINED_BY_RISK_FRAUD_FILTERS' } }),
    amount: writeAmount(capture.amount),
    ...namesOf(capture),
    final_capture: capture.finalCapture,
    seller_protection: sellerProtection,
    disbursement_mode: 'INSTANT',
    seller_receivable_breakdown: {
      gross_amount: writeAmount(capture.amount),
      paypal_fee: writeAmount(fee),
      net_amount: writeAmount({ ...fee, units: capture.amount.units - fee.units }),
    },
    links: [
      { href: self, rel: 'self', method: 'GET' },
      { href: `${self}/refund`, rel: 'refund', method: 'POST' },
      { href: up, rel: 'up', method: 'GET' },
    ],
    create_time: wire.time(capture.createdAt),
    update_time: wire.time(capture.updatedAt),
    supplementary_data: {
      related_ids: {
        order_id: capture.orderId,
        ...(capture.authorisationId !== null && { authorization_id: capture.authorisationId }),
      },
    },
  };
}

/** A refund carries its own custom id, not that of the payment, and knows the capture by its `up` link alone. */
export function refundJson(wire: Wire, refund: PayPalRefund): Json {
  const none = writeAmount({ ...refund.amount, units: 0 });
  return {
    id: refund.id,
    status: refund.status,
    ...(refund.status === 'PENDING' && { status_details: { reason: 'ECHECK' } }),
    amount: writeAmount(refund.amount),
    ...namesOf(refund),
    ...(refund.noteToPayer !== null && { note_to_payer: refund.noteToPayer }),
    seller_payable_breakdown: {
      gross_amount: writeAmount(refund.amount),
      paypal_fee: none,
      net_amount: writeAmount(refund.amount),
      total_refunded_amount: writeAmount({ ...refund.amount, units: refund.totalRefundedUnits }),
    },
    links: [
      { href: `${wire.baseUrl()}/v2/payments/refunds/${refund.id}`, rel: 'self', method: 'GET' },
      { href: `${wire.baseUrl()}/v2/payments/captures/${refund.captureId}`, rel: 'up', method: 'GET' },
    ],
    create_time: wire.time(refund.createdAt),
    update_time: wire.time(refund.updatedAt),
  };
}

export function feeOf({ units, currency }: Amount): Amount {
  return { units: Math.ceil(units * 0.03), currency };
}

/** For people: `12.50 EUR`. */
export function amountText(amount: Amount): string {
  const { value, currency_code } = writeAmount(amount);
  return `${value} ${currency_code}`;
}

/** `€12.50`, as Stripe's checkout shows it, too. */
function amountForCustomers(amount: Amount): string {
  const { value, currency_code: currency } = writeAmount(amount);
  const digits = value.split('.')[1]?.length ?? 0;
  const form = { style: 'currency', currency, minimumFractionDigits: digits, maximumFractionDigits: digits } as const;
  return new Intl.NumberFormat('en', form).format(Number(value));
}

/** What the customer sees, and where they go from there with what PayPal adds to the address. */
export function checkoutOf(order: PayPalOrder) {
  return {
    reference: order.id,
    orderNumber: orderNumberOf(order),
    amountText: amountForCustomers(order.amount),
    successUrl: withQuery(order.returnUrl, { token: order.id, PayerID: payerId }),
    cancelUrl: withQuery(order.cancelUrl, { token: order.id }),
  };
}

function withQuery(address: string, query: Record<string, string>): string {
  if (!URL.canParse(address)) return address;
  const url = new URL(address);
  for (const [name, value] of Object.entries(query)) url.searchParams.append(name, value);
  return url.href;
}

function namesOf({ customId, invoiceId }: { customId: string | null; invoiceId: string | null }): Json {
  return { ...(customId !== null && { custom_id: customId }), ...(invoiceId !== null && { invoice_id: invoiceId }) };
}

const sellerProtection = {
  status: 'ELIGIBLE',
  dispute_categories: ['ITEM_NOT_RECEIVED', 'UNAUTHORIZED_TRANSACTION'],
};
