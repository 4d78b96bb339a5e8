import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { SandboxOperation } from '../fault-script.ts';
import { send } from '../faults.ts';
import type { Answer, SandboxContext, SandboxProvider } from '../sandbox-provider.ts';
import { dayMs, hourMs, type PayPalAccount } from './paypal-account.ts';
import { answer, answerOf, refusalAnswer } from './paypal-answers.ts';
import { captureAuthorisation, getAuthorisation, reauthorise, voidAuthorisation } from './paypal-authorisations.ts';
import { getCapture, getRefund, refundCapture } from './paypal-captures.ts';
import { fieldsOf } from './paypal-fields.ts';
import { orderNumberOf } from './paypal-objects.ts';
import { authoriseOrder, captureOrder, createOrder, getOrder } from './paypal-orders.ts';
import type { RawJson } from './paypal-postback.ts';
import { PayPalRefusal } from './paypal-refusal.ts';
import { authorisationJson, captureJson, orderJson, refundJson, type Wire } from './paypal-representations.ts';
import type { PayPalTokens } from './paypal-tokens.ts';
import { searchTransactions, type TransactionSearch } from './paypal-transactions.ts';

export interface PayPalRoutesDeps {
  context: SandboxContext;
  provider: Pick<SandboxProvider, 'name' | 'trouble'>;
  account: PayPalAccount;
  wire: Wire;
  tokens: PayPalTokens;
}

export interface Call {
  operation: SandboxOperation;
  orderNumber: number | null;
  /** How long PayPal knows the request id; null where it takes none. */
  keyLifeMs: number | null;
}

interface WithId {
  Params: { id: string };
}

const orderKeyLifeMs = 6 * hourMs;
const paymentKeyLifeMs = 45 * dayMs;
const longestRequestId = 108;

/** Orders v2, Payments v2 and the transaction search. */
export function paypalRoutes(app: FastifyInstance, deps: PayPalRoutesDeps): void {
  const { context, account, wire } = deps;
  const { objects } = account;
  const numberOf = (orderId: string | undefined) => {
    const order = orderId === undefined ? undefined : objects.orders.get(orderId);
    return order ? orderNumberOf(order) : null;
  };
  const reading = (orderId: string | undefined): Call => ({
    operation: 'read',
    orderNumber: numberOf(orderId),
    keyLifeMs: null,
  });
  const payment = (operation: SandboxOperation, orderId: string | undefined): Call => ({
    operation,
    orderNumber: numberOf(orderId),
    keyLifeMs: paymentKeyLifeMs,
  });

  app.post('/v2/checkout/orders', (request, reply) => {
    const body = fieldsOf(bodyOf(request).value);
    const [unit] = Array.isArray(body.purchase_units) ? body.purchase_units.map(fieldsOf) : [];
    const orderNumber = orderNumberOf({
      description: typeof unit?.description === 'string' ? unit.description : null,
      invoiceId: typeof unit?.invoice_id === 'string' ? unit.invoice_id : null,
    });
    const call: Call = { operation: 'checkout.create', orderNumber, keyLifeMs: orderKeyLifeMs };
    return serve(deps, request, reply, call, () => {
      if (body.payment_source !== undefined && requestIdOf(request) === null)
        throw PayPalRefusal.invalid('PAYPAL_REQUEST_ID_REQUIRED', 'PayPal-Request-Id');
      const order = createOrder(account, body);
      return preferred(request, order.withPaymentSource ? 200 : 201, orderJson(wire, order));
    });
  });
  app.get<WithId>('/v2/checkout/orders/:id', (request, reply) => {
    const call: Call = { operation: 'checkout.read', orderNumber: numberOf(request.params.id), keyLifeMs: null };
    return serve(deps, request, reply, call, () => answer(200, orderJson(wire, getOrder(account, request.params.id))));
  });
  for (const [step, operation, take] of [
    ['authorize', 'authorise', authoriseOrder],
    ['capture', 'capture', captureOrder],
  ] as const) {
    app.post<WithId>(`/v2/checkout/orders/:id/${step}`, (request, reply) => {
      const call: Call = { operation, orderNumber: numberOf(request.params.id), keyLifeMs: orderKeyLifeMs };
      return serve(deps, request, reply, call, () => {
        take(account, request.params.id);
        return preferred(request, 201, orderJson(wire, getOrder(account, request.params.id)));
      });
    });
  }

  app.get<WithId>('/v2/payments/authorizations/:id', (request, reply) => {
    const { id } = request.params;
    return serve(deps, request, reply, reading(objects.authorisations.get(id)?.orderId), () =>
      answer(200, authorisationJson(wire, getAuthorisation(account, id))),
    );
  });
  app.post<WithId>('/v2/payments/authorizations/:id/capture', (request, reply) => {
    const { id } = request.params;
    return serve(deps, request, reply, payment('capture', objects.authorisations.get(id)?.orderId), () =>
      preferred(request, 201, captureJson(wire, captureAuthorisation(account, id, bodyOf(request).value))),
    );
  });
  app.post<WithId>('/v2/payments/authorizations/:id/void', (request, reply) => {
    const { id } = request.params;
    return serve(deps, request, reply, payment('void', objects.authorisations.get(id)?.orderId), () => {
      const voided = voidAuthorisation(account, id);
      return wantsAll(request) ? answer(200, authorisationJson(wire, voided)) : answer(204);
    });
  });
  app.post<WithId>('/v2/payments/authorizations/:id/reauthorize', (request, reply) => {
    const { id } = request.params;
    return serve(deps, request, reply, payment('reauthorise', objects.authorisations.get(id)?.orderId), () =>
      preferred(request, 201, authorisationJson(wire, reauthorise(account, id, bodyOf(request).value))),
    );
  });
  app.get<WithId>('/v2/payments/captures/:id', (request, reply) => {
    const { id } = request.params;
    return serve(deps, request, reply, reading(objects.captures.get(id)?.orderId), () =>
      answer(200, captureJson(wire, getCapture(account, id))),
    );
  });
  app.post<WithId>('/v2/payments/captures/:id/refund', (request, reply) => {
    const { id } = request.params;
    return serve(deps, request, reply, payment('refund', objects.captures.get(id)?.orderId), () =>
      preferred(request, 201, refundJson(wire, refundCapture(account, id, bodyOf(request).value))),
    );
  });
  app.get<WithId>('/v2/payments/refunds/:id', (request, reply) => {
    const { id } = request.params;
    return serve(deps, request, reply, reading(objects.refunds.get(id)?.orderId), () =>
      answer(200, refundJson(wire, getRefund(account, id))),
    );
  });

  app.get<{ Querystring: TransactionSearch }>('/v1/reporting/transactions', (request, reply) => {
    const call: Call = { operation: 'events.list', orderNumber: null, keyLifeMs: null };
    return serve(deps, request, reply, call, () =>
      answer(
        200,
        searchTransactions(wire, request.query, (time) => context.clock.fromWire(time)),
      ),
    );
  });
}

/** Lets in whoever has a token, then lets happen what is due to happen. */
export async function serve(
  { context, provider, tokens }: Pick<PayPalRoutesDeps, 'context' | 'provider' | 'tokens'>,
  request: FastifyRequest,
  reply: FastifyReply,
  { operation, orderNumber, keyLifeMs }: Call,
  effect: () => Answer,
): Promise<FastifyReply> {
  const [, token] = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '') ?? [];
  if (token === undefined)
    return send(reply, refusalAnswer(new PayPalRefusal(401, 'AUTHENTICATION_FAILURE', 'INVALID_ACCOUNT_STATUS')));
  if (!tokens.isGood(token)) {
    // without the envelope of the other errors: that is how PayPal says it
    const invalid = { error: 'invalid_token', error_description: 'The token passed in was not found in the system' };
    return send(reply, answer(401, invalid));
  }
  const requestId = keyLifeMs === null ? null : requestIdOf(request);
  if (requestId !== null && requestId.length > longestRequestId)
    return send(reply, refusalAnswer(PayPalRefusal.invalid('INVALID_STRING_MAX_LENGTH', 'PayPal-Request-Id')));
  const keyed =
    requestId === null || keyLifeMs === null
      ? null
      : {
          scope: `paypal ${operation}`,
          key: requestId,
          fingerprint: [request.url, bodyOf(request).value],
          lifeMs: keyLifeMs,
        };
  return context.faults.around(request, reply, { provider, operation, orderNumber, keyed }, () => answerOf(effect));
}

export function bodyOf(request: FastifyRequest): RawJson {
  const { text, value } = fieldsOf(request.body);
  return typeof text === 'string' ? { text, value } : { text: '', value: {} };
}

function requestIdOf(request: FastifyRequest): string | null {
  const id = request.headers['paypal-request-id'];
  return typeof id === 'string' && id !== '' ? id : null;
}

function wantsAll(request: FastifyRequest): boolean {
  return request.headers.prefer === 'return=representation';
}

/** All of the object for whoever prefers that; its id, status and links for everybody else. */
function preferred(request: FastifyRequest, status: number, object: Record<string, unknown>): Answer {
  const { id, status: state, links, payment_source } = object;
  const least = { id, status: state, ...(payment_source !== undefined && { payment_source }), links };
  return answer(status, wantsAll(request) ? object : least);
}
