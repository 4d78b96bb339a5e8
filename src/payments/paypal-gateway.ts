import {
  CheckoutPaymentIntent,
  type Money as PayPalMoney,
  PaypalExperienceUserAction,
  PaypalWalletContextShippingPreference,
} from '@paypal/paypal-server-sdk';
import type { Money } from '../domain/money.ts';
import { type PaymentGateway, type PaymentReferences, ProviderError } from './payment-gateway.ts';
import { malformed, orNull, toTime } from './paypal-answers.ts';
import { createPayPalCertificates } from './paypal-certificates.ts';
import { signatureOf, toProviderEvent } from './paypal-event.ts';
import { listPayPalMovements, type TransactionQuery } from './paypal-movements.ts';
import { readPayPalPayment } from './paypal-payment.ts';
import { createPayPalSessions, type PayPalAccess } from './paypal-session.ts';
import { verifyByPostback, verifyOffline } from './paypal-signature.ts';
import { toPayPal, whyNotPayable } from './provider-amounts.ts';

export interface PayPalSettings extends PayPalAccess {
  webhookId: string;
  /** By the certificate, or by asking PayPal each time. */
  verify: 'offline' | 'postback';
}

const hour = 3_600_000;
const day = 24 * hour;
/** PayPal has no time to set; an order that nobody approves is forgotten after some hours. */
const longestCheckoutMs = 3 * hour;
const representation = 'return=representation';

/** Orders v2 with the intent AUTHORIZE: the customer approves, we take the hold, and capture when the order is complete. */
export function createPayPalGateway(settings: PayPalSettings): PaymentGateway {
  const sessions = createPayPalSessions(settings);
  const certificates = createPayPalCertificates({
    trustedOrigin: settings.apiBase === null ? null : new URL(settings.apiBase).origin,
    timeoutMs: settings.timeoutMs,
  });

  return {
    provider: 'paypal',
    keyLifeMs: {
      checkout: 6 * hour,
      authorise: 6 * hour,
      expire: 0,
      reauthorise: 45 * day,
      capture: 45 * day,
      void: 45 * day,
      refund: 45 * day,
    },
    canExpireCheckout: false,
    canReauthorise: true,
    whyNotPayable: (amount) => whyNotPayable('paypal', amount),

    async createCheckout(request) {
      const { result: order } = await sessions.run('Creating an order', ({ orders }, abortSignal) =>
        orders.createOrder(
          {
            paypalRequestId: request.idempotencyKey,
            body: {
              intent: CheckoutPaymentIntent.Authorize,
              purchaseUnits: [
                {
                  referenceId: request.paymentId,
                  customId: request.paymentId,
                  description: `Order ${request.orderNumber}`,
                  amount: onTheWire(request.amount),
                },
              ],
              paymentSource: {
                paypal: {
                  experienceContext: {
                    returnUrl: request.successUrl,
                    cancelUrl: request.cancelUrl,
                    userAction: PaypalExperienceUserAction.PayNow,
                    shippingPreference: PaypalWalletContextShippingPreference.NoShipping,
                  },
                },
              },
            },
          },
          { abortSignal },
        ),
      );
      const link = order.links?.find(({ rel }) => rel === 'payer-action' || rel === 'approve');
      if (order.id === undefined || !link) throw malformed('an order that nobody can approve');
      const latestMs = Date.now() + longestCheckoutMs;
      return {
        reference: order.id,
        url: link.href,
        expiresAt: new Date(Math.min(request.expiresAt.getTime(), latestMs)),
      };
    },

    async read(references) {
      return await sessions.run('Reading a payment', (session, signal) =>
        readPayPalPayment(session, references, signal),
      );
    },

    async expireCheckout() {
      throw new ProviderError('refused', 'CHECKOUT_CANNOT_EXPIRE', 'PayPal has no way to end a checkout');
    },

    async authorise({ checkout }, idempotencyKey) {
      const { result: order } = await sessions.run('Authorising', ({ orders }, abortSignal) =>
        orders.authorizeOrder(
          { id: checkout, paypalRequestId: idempotencyKey, prefer: representation, body: {} },
          { abortSignal },
        ),
      );
      const authorisation = order.purchaseUnits?.[0]?.payments?.authorizations?.at(-1);
      if (authorisation?.status === 'DENIED') throw declined('authorisation', authorisation.statusDetails?.reason);
    },

    async reauthorise(references, amount, idempotencyKey) {
      await sessions.run('Reauthorising', ({ payments }, abortSignal) =>
        payments.reauthorizePayment(
          {
            authorizationId: authorisationOf(references),
            paypalRequestId: idempotencyKey,
            prefer: representation,
            body: { amount: onTheWire(amount) },
          },
          { abortSignal },
        ),
      );
    },

    async capture(references, amount, idempotencyKey) {
      const { result: capture } = await sessions.run('Capturing', ({ payments }, abortSignal) =>
        payments.captureAuthorizedPayment(
          {
            authorizationId: authorisationOf(references),
            paypalRequestId: idempotencyKey,
            prefer: representation,
            body: { amount: onTheWire(amount), finalCapture: true },
          },
          { abortSignal },
        ),
      );
      if (capture.status === 'DECLINED' || capture.status === 'FAILED')
        throw declined('capture', capture.statusDetails?.reason);
    },

    async void(references, idempotencyKey) {
      const renewed = authorisationOf(references);
      await sessions.run('Voiding', async ({ orders, payments }, abortSignal) => {
        // PayPal refuses to void a renewal: it goes with the authorisation that was renewed.
        const order = await orNull(orders.getOrder({ id: references.checkout }, { abortSignal }));
        const first = firstMade(order?.purchaseUnits?.[0]?.payments?.authorizations ?? []);
        await payments.voidPayment(
          { authorizationId: first?.id ?? renewed, paypalRequestId: idempotencyKey, prefer: representation },
          { abortSignal },
        );
      });
    },

    async refund(references, { operationId, amount }, idempotencyKey) {
      const captureId = references.capture;
      if (captureId === null) throw new ProviderError('wrong_state', 'NO_CAPTURE', 'there is no capture to refund');
      const { result: refund } = await sessions.run('Refunding', ({ payments }, abortSignal) =>
        payments.refundCapturedPayment(
          {
            captureId,
            paypalRequestId: idempotencyKey,
            prefer: representation,
            body: { amount: onTheWire(amount), customId: operationId },
          },
          { abortSignal },
        ),
      );
      if (refund.status === 'FAILED' || refund.status === 'CANCELLED')
        throw new ProviderError('refused', `REFUND_${refund.status}`, `PayPal could not refund: ${refund.status}`);
    },

    async readEvent(rawBody, headers) {
      const signature = signatureOf(headers);
      if (settings.verify === 'offline') await verifyOffline(certificates, settings.webhookId, rawBody, signature);
      else await verifyByPostback(sessions, settings.webhookId, rawBody, signature);
      return toProviderEvent(rawBody);
    },

    listMissedEvents: null,

    async *listMovements(from, to) {
      const search = async (query: TransactionQuery) =>
        await sessions.run('Listing transactions', async ({ transactions }, abortSignal) => {
          return (await transactions.searchTransactions(query, { abortSignal })).result;
        });
      for await (const { customId, ...movement } of listPayPalMovements(search, from, to))
        yield { ...movement, paymentId: movement.kind === 'capture' ? customId : null };
    },
  };
}

function onTheWire(amount: Money): PayPalMoney {
  const { currency_code, value } = toPayPal(amount);
  return { currencyCode: currency_code, value };
}

function authorisationOf({ authorisation }: PaymentReferences): string {
  if (authorisation !== null) return authorisation;
  throw new ProviderError('wrong_state', 'NO_AUTHORISATION', 'there is no authorisation yet');
}

function firstMade<Made extends { createTime?: string }>(list: readonly Made[]): Made | undefined {
  const madeAtMs = ({ createTime }: Made): number => toTime(createTime)?.getTime() ?? 0;
  return list.toSorted((one, other) => madeAtMs(one) - madeAtMs(other))[0];
}

function declined(what: string, reason: string | undefined): ProviderError {
  const code = reason ?? 'DECLINED';
  return new ProviderError('declined', code, `PayPal declined the ${what}: ${code}`);
}
