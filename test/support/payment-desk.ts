import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import type { LedgerEntryKind } from '../../sandbox/payments/ledger.ts';
import { type PaymentSandbox, startPaymentSandbox } from '../../sandbox/payments/payment-sandbox.ts';
import type { Money } from '../../src/domain/money.ts';
import type { PaymentProvider } from '../../src/domain/payment.ts';
import {
  type CheckoutRequest,
  type PaymentGateway,
  type PaymentReferences,
  ProviderError,
  type ProviderPayment,
} from '../../src/payments/payment-gateway.ts';
import { createPayPalGateway } from '../../src/payments/paypal-gateway.ts';
import { createStripeGateway } from '../../src/payments/stripe-gateway.ts';

/** Short, so that a test can wait for its end. */
export const gatewayTimeoutMs = 400;
export const dayMs = 86_400_000;
export const price: Money = { amountMinor: 1250, currency: 'EUR' };

export interface Delivery {
  provider: PaymentProvider;
  rawBody: Buffer;
  headers: IncomingHttpHeaders;
}

/** The sandbox, who listens to its events, and the gateways through the real SDKs. */
export interface PaymentDesk {
  sandbox: PaymentSandbox;
  deliveries: Delivery[];
  gateways: Record<PaymentProvider, PaymentGateway>;
  payPalByPostback: PaymentGateway;
  newPayment(provider: PaymentProvider, amount?: Money): DeskPayment;
  close(): Promise<void>;
}

export async function openPaymentDesk(): Promise<PaymentDesk> {
  const deliveries: Delivery[] = [];
  const receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    const provider = request.url === '/stripe' ? 'stripe' : 'paypal';
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      deliveries.push({ provider, rawBody: Buffer.concat(chunks), headers: request.headers });
      response.end();
    });
  });
  await once(receiver.listen(0, '127.0.0.1'), 'listening');
  const hooks = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`; // it listens on a port
  const sandbox = await startPaymentSandbox({ webhookUrls: { stripe: `${hooks}/stripe`, paypal: `${hooks}/paypal` } });
  const stripe = openStripe(sandbox);
  const gateways = { stripe, paypal: openPayPal(sandbox, 'offline') };
  let count = 0;
  return {
    sandbox,
    deliveries,
    gateways,
    payPalByPostback: openPayPal(sandbox, 'postback'),
    newPayment: (provider, amount = price) => new DeskPayment(sandbox, gateways[provider], 1_000 + count++, amount),
    async close() {
      stripe.close();
      await sandbox.close();
      receiver.closeAllConnections();
      await once(receiver.close(), 'close');
    },
  };
}

function settingOf({ settings }: PaymentSandbox, name: string): string {
  return settings[name] ?? expect.fail(`the sandbox has no ${name}`);
}

function openStripe(sandbox: PaymentSandbox) {
  return createStripeGateway({
    secretKey: settingOf(sandbox, 'STRIPE_SECRET_KEY'),
    webhookSecret: settingOf(sandbox, 'STRIPE_WEBHOOK_SECRET'),
    apiBase: settingOf(sandbox, 'STRIPE_API_BASE'),
    timeoutMs: gatewayTimeoutMs,
  });
}

function openPayPal(sandbox: PaymentSandbox, verify: 'offline' | 'postback') {
  return createPayPalGateway({
    clientId: settingOf(sandbox, 'PAYPAL_CLIENT_ID'),
    clientSecret: settingOf(sandbox, 'PAYPAL_CLIENT_SECRET'),
    webhookId: settingOf(sandbox, 'PAYPAL_WEBHOOK_ID'),
    environment: 'sandbox',
    apiBase: settingOf(sandbox, 'PAYPAL_API_BASE'),
    verify,
    timeoutMs: gatewayTimeoutMs,
  });
}

/** One payment as the engine would go through it, step by step; each step always with the same key. */
export class DeskPayment {
  readonly gateway: PaymentGateway;
  readonly paymentId: string;
  readonly request: CheckoutRequest;
  references: PaymentReferences = { checkout: '', authorisation: null, capture: null };
  readonly #sandbox: PaymentSandbox;

  constructor(sandbox: PaymentSandbox, gateway: PaymentGateway, orderNumber: number, amount: Money) {
    this.#sandbox = sandbox;
    this.gateway = gateway;
    this.paymentId = `payment-${orderNumber}`;
    this.request = {
      paymentId: this.paymentId,
      orderNumber,
      amount,
      expiresAt: new Date(Date.now() + 2 * 3_600_000),
      successUrl: 'https://shop.example/success',
      cancelUrl: 'https://shop.example/cancel',
      idempotencyKey: this.key('checkout'),
    };
  }

  key(step: string): string {
    return `${this.paymentId}-${step}`;
  }

  async open() {
    const checkout = await this.gateway.createCheckout(this.request);
    this.references.checkout = checkout.reference;
    return checkout;
  }

  async read(): Promise<ProviderPayment> {
    const payment = await this.gateway.read(this.references);
    this.references.authorisation = payment.authorisation?.reference ?? this.references.authorisation;
    this.references.capture = payment.capture?.reference ?? this.references.capture;
    return payment;
  }

  async authorise() {
    await this.gateway.authorise(this.references, this.key('authorise'));
  }

  /** Until the money is held, in as many steps as that takes. */
  async hold(): Promise<ProviderPayment> {
    await this.open();
    this.#sandbox.pay(this.references.checkout);
    const paid = await this.read();
    if (paid.checkout !== 'approved') return paid;
    await this.authorise();
    return await this.read();
  }

  async capture({ amountMinor = this.request.amount.amountMinor, step = 'capture' } = {}) {
    await this.gateway.capture(this.references, { ...this.request.amount, amountMinor }, this.key(step));
  }

  async holdAndCapture(): Promise<ProviderPayment> {
    await this.hold();
    await this.capture();
    return await this.read();
  }

  async void(step = 'void') {
    await this.gateway.void(this.references, this.key(step));
  }

  async expire() {
    await this.gateway.expireCheckout(this.references, this.key('expire'));
  }

  async refund(step: string, amountMinor: number) {
    const refund = { operationId: this.key(step), amount: { ...this.request.amount, amountMinor } };
    await this.gateway.refund(this.references, refund, this.key(step));
  }

  /** What it came to, by the sandbox's own account. */
  effects(kind: LedgerEntryKind) {
    return this.#sandbox.ledger.entries({ paymentId: this.paymentId, kind });
  }
}

/** The `ProviderError` that it fails with. */
export async function failureOf(promise: Promise<unknown>): Promise<ProviderError> {
  const error: unknown = await promise.then(
    () => 'no failure',
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ProviderError);
  return error as ProviderError; // as was just seen
}
