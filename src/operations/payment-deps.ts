import type { DatabasePool } from 'slonik';
import type { PaymentProvider } from '../domain/payment.ts';
import type { Logger } from '../log.ts';
import type { AuthorisationPolicy } from '../payments/next-step.ts';
import type { PaymentGateway } from '../payments/payment-gateway.ts';

/** The providers that are set up. One without its keys is not here. */
export type PaymentGateways = Readonly<Partial<Record<PaymentProvider, PaymentGateway>>>;

export interface PaymentSettings {
  /** No call to a provider takes longer. */
  timeoutMs: number;
  /** How long a customer may take to pay. */
  checkoutMs: number;
  policy: AuthorisationPolicy;
  /** How long before its end a hold is dealt with. */
  marginMs: number;
  /** Where the customer comes back to. */
  returnUrls(provider: PaymentProvider, orderNumber: number): { successUrl: string; cancelUrl: string };
}

/** What every operation on payments works with. */
export interface PaymentDeps {
  pool: DatabasePool;
  gateways: PaymentGateways;
  payments: PaymentSettings;
  announce(): void;
  /** Jobs were written to the outbox: a relay hands them over now, and not at its next look. */
  wakeRelay(): void;
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

/** The settings as the environment gives them. */
export function paymentSettingsOf(config: {
  timeoutMs: number;
  checkoutMs: number;
  policy: AuthorisationPolicy;
  marginMs: number;
  publicUrl: string;
  stripe: { successUrl: string | null; cancelUrl: string | null } | null;
}): PaymentSettings {
  const { timeoutMs, checkoutMs, policy, marginMs, publicUrl, stripe } = config;
  return {
    timeoutMs,
    checkoutMs,
    policy,
    marginMs,
    returnUrls(provider, orderNumber) {
      const own = provider === 'stripe' ? stripe : null;
      return {
        successUrl: withOrder(own?.successUrl ?? `${publicUrl}/v1/checkout/success`, orderNumber),
        cancelUrl: withOrder(own?.cancelUrl ?? `${publicUrl}/v1/checkout/cancel`, orderNumber),
      };
    },
  };
}

function withOrder(address: string, orderNumber: number): string {
  const url = new URL(address);
  url.searchParams.set('order', String(orderNumber));
  return url.href;
}
