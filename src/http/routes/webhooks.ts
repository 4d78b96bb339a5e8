import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { PaymentMethodUnavailableError, ServiceUnavailableError, WebhookSignatureError } from '../../domain/errors.ts';
import { type PaymentProvider, paymentProviders } from '../../domain/payment.ts';
import { ProviderError, SignatureInvalidError } from '../../payments/payment-gateway.ts';
import type { AppDeps } from '../app-deps.ts';

/** Larger than any event of either provider. */
const maxBodyBytes = 512 * 1024;

const names: Record<PaymentProvider, string> = { stripe: 'Stripe', paypal: 'PayPal' };

/**
 * What payment providers tell us. The signature over the raw body is verified before anything is parsed; the event is stored once, and
 * only then answered. What it means is found out by a job.
 */
export async function webhookRoutes(scope: FastifyInstance, { gateways, webhooks }: AppDeps): Promise<void> {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: maxBodyBytes }, (_request, body, done) =>
    done(null, body),
  );

  for (const provider of paymentProviders) {
    scope.post(
      `/v1/webhooks/${provider}`,
      {
        bodyLimit: maxBodyBytes,
        config: {
          access: 'public',
          rateLimit: false, // a provider sends what it has to; what it did not sign costs next to nothing
          problems: ['signature_invalid', 'payment_method_unavailable', 'service_unavailable'],
          answers: { 200: 'Stored, now or earlier.' },
        },
        schema: {
          operationId: `receive${names[provider]}Event`,
          tags: ['Payments and hooks'],
          summary: `Events of ${names[provider]}`,
          description: 'As the provider sends and signs them.',
          response: { 200: z.object({ received: z.literal(true) }) },
        },
      },
      async (request) => {
        const gateway = gateways[provider];
        if (!gateway) throw new PaymentMethodUnavailableError(provider);
        const rawBody = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        try {
          const event = await gateway.readEvent(rawBody, request.headers);
          await webhooks.keep({ provider, event, rawBody, source: 'webhook' });
        } catch (error) {
          if (error instanceof SignatureInvalidError) throw new WebhookSignatureError(error);
          if (error instanceof ProviderError)
            throw new ServiceUnavailableError(`${names[provider]}'s verification`, error);
          throw error;
        }
        return { received: true as const };
      },
    );
  }
}
