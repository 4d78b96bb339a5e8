import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { send } from '../faults.ts';
import { answer } from './paypal-answers.ts';
import { fieldsOf } from './paypal-fields.ts';
import { rawFieldOf } from './paypal-postback.ts';
import { PayPalRefusal } from './paypal-refusal.ts';
import { bodyOf, type PayPalRoutesDeps, serve } from './paypal-routes.ts';
import type { PayPalCertificates } from './paypal-signature.ts';

/** What proves an event: the certificates, and PayPal's own word on a signature. */
export function paypalNotificationRoutes(
  app: FastifyInstance,
  deps: PayPalRoutesDeps,
  certificates: PayPalCertificates,
): void {
  const { context } = deps;

  app.get<{ Params: { name: string } }>('/v1/notifications/certs/:name', (request, reply) => {
    const certificate = certificates.find(request.params.name);
    if (certificate === null) return reply.status(404).send();
    return reply.type('application/x-pem-file').send(certificate);
  });

  app.post('/v1/notifications/verify-webhook-signature', (request, reply) =>
    serve(deps, request, reply, { operation: 'verify', orderNumber: null, keyLifeMs: null }, () => {
      const { text, value } = bodyOf(request);
      const named = fieldsOf(value);
      const said = (field: string) => {
        const given = named[field];
        if (typeof given !== 'string') throw PayPalRefusal.invalid('MISSING_REQUIRED_PARAMETER', `/${field}`);
        return given;
      };
      const transmission = {
        id: said('transmission_id'),
        time: said('transmission_time'),
        webhookId: said('webhook_id'),
        body: rawFieldOf(text, 'webhook_event') ?? '',
      };
      const [signature, certificateUrl, algorithm] = [said('transmission_sig'), said('cert_url'), said('auth_algo')];
      const good = certificates.isGood(transmission, signature, certificateUrl, algorithm, context.baseUrl());
      return answer(200, { verification_status: good ? 'SUCCESS' : 'FAILURE' });
    }),
  );
}

/** The token, by the client's id and secret. */
export function paypalTokenRoutes(app: FastifyInstance, { context, provider, tokens }: PayPalRoutesDeps): void {
  app.post('/v1/oauth2/token', (request, reply) => {
    const [, credentials = ''] = /^Basic (.+)$/i.exec(request.headers.authorization ?? '') ?? [];
    const [clientId = '', ...secret] = Buffer.from(credentials, 'base64').toString().split(':');
    if (!tokens.areKeys(clientId, secret.join(':')))
      return send(reply, answer(401, { error: 'invalid_client', error_description: 'Client Authentication failed' }));
    const call = { provider, operation: 'token', orderNumber: null, keyed: null } as const;
    return context.faults.around(request, reply, call, () => {
      if (fieldsOf(request.body).grant_type !== 'client_credentials')
        return answer(400, { error: 'unsupported_grant_type', error_description: 'unsupported grant_type' });
      return answer(200, {
        scope: 'payments',
        access_token: tokens.issue(),
        token_type: 'Bearer',
        app_id: 'APP-SANDBOX',
        expires_in: tokens.lifeSeconds,
        nonce: new Date().toISOString(),
      });
    });
  });
}

/** What only PayPal's part of the sandbox can be made to do. */
export function paypalControlRoutes(
  app: FastifyInstance,
  { tokens }: PayPalRoutesDeps,
  certificates: PayPalCertificates,
): void {
  app.post('/sandbox/paypal/certificates', async (_, reply) => reply.send({ name: await certificates.renew() }));
  app.put('/sandbox/paypal/tokens', (request, reply) => {
    const wanted = z.strictObject({ lifeSeconds: z.number().min(0) }).safeParse(bodyOf(request).value);
    if (!wanted.success) return reply.status(400).send({ error: z.prettifyError(wanted.error) });
    tokens.setLife(wanted.data.lifeSeconds);
    return reply.status(204).send();
  });
  app.delete('/sandbox/paypal/tokens', (_, reply) => {
    tokens.revokeAll();
    return reply.status(204).send();
  });
}
