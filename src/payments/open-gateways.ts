import type { PaymentProvider } from '../domain/payment.ts';
import type { PaymentGateway } from './payment-gateway.ts';
import { createPayPalGateway, type PayPalSettings } from './paypal-gateway.ts';
import { createStripeGateway, type StripeGatewayOptions } from './stripe-gateway.ts';

export interface GatewaySettings {
  /** Null: not set up. */
  stripe: Omit<StripeGatewayOptions, 'timeoutMs'> | null;
  paypal: Omit<PayPalSettings, 'timeoutMs'> | null;
  timeoutMs: number;
}

/** The providers that are set up, each ready to be asked. */
export function openGateways({ stripe, paypal, timeoutMs }: GatewaySettings): {
  gateways: Partial<Record<PaymentProvider, PaymentGateway>>;
  close(): void;
} {
  const stripeGateway = stripe && createStripeGateway({ ...stripe, timeoutMs });
  return {
    gateways: {
      ...(stripeGateway && { stripe: stripeGateway }),
      ...(paypal && { paypal: createPayPalGateway({ ...paypal, timeoutMs }) }),
    },
    close() {
      stripeGateway?.close();
    },
  };
}
