import {
  type PaymentSandbox,
  type PaymentSandboxOptions,
  startPaymentSandbox,
} from '../../sandbox/payments/payment-sandbox.ts';
import type { Order } from '../../src/domain/order.ts';
import type { PaymentProvider } from '../../src/domain/payment.ts';
import type { WorkerRole } from '../../workers/main.ts';
import { manager, normal } from './api.ts';
import { type Backend, type Engine, startEngine } from './engine.ts';
import { until } from './until.ts';

/** An engine with the stand-ins of both providers, which send their events to it. */
export interface MoneyEngine {
  engine: Engine;
  sandbox: PaymentSandbox;
  /** An order that waits for its payment, with the checkout where it is paid. */
  placeOnline(provider: PaymentProvider, options?: { as?: string; sku?: string }): Promise<Order>;
  /** What the customer does at the checkout of an order. */
  pay(order: Order): void;
  /** Until the order and its payment are there. */
  untilAt(orderNumber: number, status: Order['status'], payment: Order['payment']['status']): Promise<Order>;
  cancel(orderNumber: number, as?: string): Promise<number>;
  /** What happened to the money by the sandbox's own account, such as `authorised 250 EUR`. */
  moved(orderNumber: number): string[];
  close(): Promise<void>;
}

/** The reference that a checkout URL of the sandbox ends in. */
export function checkoutOf({ payment }: Order): string {
  const { pathname } = new URL(payment.checkoutUrl ?? 'none:');
  return decodeURIComponent(pathname.split('/').at(-1) ?? '');
}

export async function startMoneyEngine(
  backend: Backend,
  options: {
    roles?: WorkerRole[];
    env?: Record<string, string>;
    sandbox?: PaymentSandboxOptions;
    hasWebhooks?: boolean;
  } = {},
): Promise<MoneyEngine> {
  const sandbox = await startPaymentSandbox(options.sandbox);
  const engine = await startEngine(backend, {
    roles: options.roles ?? ['bots', 'payments', 'relay'],
    env: { ...sandbox.settings, PAYMENT_TIMEOUT: '1s', ...options.env },
  });
  if (options.hasWebhooks ?? true)
    sandbox.sendTo({ stripe: `${engine.web.url}/v1/webhooks/stripe`, paypal: `${engine.web.url}/v1/webhooks/paypal` });
  return {
    engine,
    sandbox,
    async placeOnline(provider, { as = normal, sku = 'espresso' } = {}) {
      const { status, body } = await engine.api.call<{ order: Order }>('POST', '/v1/orders', {
        as,
        body: { items: [{ sku, quantity: 1 }], payment: { method: provider } },
      });
      if (status !== 201) throw new Error(`expected 201, got ${status}: ${JSON.stringify(body)}`);
      return body.order;
    },
    pay: (order) => sandbox.pay(checkoutOf(order)),
    untilAt: (orderNumber, status, payment) =>
      until(`order ${orderNumber} ${status}, its payment ${payment}`, async () => {
        const order = await engine.api.order(orderNumber);
        return order.status === status && order.payment.status === payment && order;
      }),
    async cancel(orderNumber, as = manager) {
      return (await engine.api.call('POST', `/v1/orders/${orderNumber}/cancel`, { as, body: {} })).status;
    },
    moved: (orderNumber) =>
      sandbox.ledger
        .entries({ orderNumber })
        .map(({ kind, amountMinor, currency }) => `${kind} ${amountMinor} ${currency}`),
    async close() {
      await engine.close();
      await sandbox.close();
    },
  };
}
