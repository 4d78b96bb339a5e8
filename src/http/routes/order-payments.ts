import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { findPaymentOfOrder } from '../../db/payments.ts';
import { OrderTransitionRefusedError, ServiceUnavailableError } from '../../domain/errors.ts';
import { moneySchema } from '../../domain/money.ts';
import { orderSchema } from '../../domain/order.ts';
import { refundSchema } from '../../domain/payment.ts';
import { textSchema } from '../../domain/text.ts';
import { showOrder } from '../../operations/read-orders.ts';
import { refundOrder } from '../../operations/refund-order.ts';
import { retryPayment } from '../../operations/retry-payment.ts';
import { actorOf, auditActorOf } from '../access.ts';
import type { AppDeps } from '../app-deps.ts';
import { idempotencyKeyOf, orderParams } from './orders.ts';

const refundBody = z
  .strictObject({
    amount: moneySchema.nullish().describe('All that is left, when it is left out'),
    reason: textSchema(500).nullish().describe('For the record'),
  })
  .nullish();

/** The money of an order. What is paid at the counter is paid there: it has no checkout, and nothing that could be given back. */
export async function orderPaymentRoutes(
  scope: FastifyInstance,
  { database, checkouts, gateways, wakeRelay }: AppDeps,
): Promise<void> {
  const app = scope.withTypeProvider<ZodTypeProvider>();

  app.post(
    '/v1/orders/:number/checkout',
    {
      config: {
        access: 'order:checkout',
        problems: ['order_not_found', 'order_transition_refused', 'service_unavailable'],
        answers: { 200: 'Where to pay.' },
      },
      schema: {
        operationId: 'checkOut',
        tags: ['Orders'],
        summary: 'Pay for an order online',
        description: 'Of an order that awaits its payment: the checkout that is open, or a new one when it is over.',
        params: orderParams,
        response: { 200: z.object({ checkoutUrl: z.url() }) },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      const { number, status } = await showOrder(database.pool, actor, request.params.number);
      const payment = await findPaymentOfOrder(database.pool, number);
      if (status !== 'awaiting_payment' || !payment)
        throw new OrderTransitionRefusedError(number, status, 'awaiting_payment');
      const isOver = payment.checkoutExpiresAt !== null && payment.checkoutExpiresAt.getTime() <= Date.now();
      if (!payment.checkoutUrl || isOver) await checkouts.open(payment, { wantsCheckout: true });
      const now = await showOrder(database.pool, actor, number);
      if (now.status !== 'awaiting_payment')
        throw new OrderTransitionRefusedError(number, now.status, 'awaiting_payment');
      if (now.payment.checkoutUrl === null) throw new ServiceUnavailableError('The payment provider');
      return { checkoutUrl: now.payment.checkoutUrl };
    },
  );

  app.post(
    '/v1/orders/:number/refunds',
    {
      config: {
        access: 'order:refund',
        problems: ['order_not_found', 'refund_exceeds_captured', 'idempotency_key_reused'],
        requestHeaders: ['Idempotency-Key'],
        answers: {
          200: {
            description: 'The key was used before for this refund: it, as it is now.',
            headers: ['Idempotent-Replayed'],
          },
          201: 'Written down; the provider is asked at once, and until it has answered clearly.',
        },
      },
      schema: {
        operationId: 'refundOrder',
        tags: ['Orders'],
        summary: 'Give money back',
        description:
          'Of what was captured online; all that is left of it, unless an amount is given. What was paid at the counter is given back there.',
        params: orderParams,
        body: refundBody,
        response: { 200: z.object({ refund: refundSchema }), 201: z.object({ refund: refundSchema }) },
      },
    },
    async (request, reply) => {
      const order = await showOrder(database.pool, actorOf(request), request.params.number);
      const { amount = null, reason = null } = request.body ?? {};
      const by = { actor: auditActorOf(request), address: request.ip };
      const key = idempotencyKeyOf(request.headers['idempotency-key']);
      const deps = { pool: database.pool, gateways, wakeRelay };
      const { refund, isReplay } = await refundOrder(deps, order.number, { amount, reason, key }, by);
      if (isReplay) void reply.header('idempotent-replayed', 'true');
      const { id, state, createdAt } = refund;
      return reply.code(isReplay ? 200 : 201).send({
        refund: {
          id,
          amount: refund.amount,
          reason: refund.reason,
          status: state,
          requestedAt: createdAt.toISOString(),
        },
      });
    },
  );

  app.post(
    '/v1/orders/:number/payment/retry',
    {
      config: {
        access: 'order:refund',
        problems: ['order_not_found', 'order_transition_refused'],
        answers: { 202: 'It will be tried in a moment, by a job.' },
      },
      schema: {
        operationId: 'retryPayment',
        tags: ['Orders'],
        summary: 'Try the payment of an order again',
        description:
          'What the provider had refused or declined, a capture or a release, is asked for once more; after somebody has found out why.',
        params: orderParams,
        response: { 202: z.object({ order: orderSchema }) },
      },
    },
    async (request, reply) => {
      const order = await showOrder(database.pool, actorOf(request), request.params.number);
      const by = { actor: auditActorOf(request), address: request.ip };
      await retryPayment({ pool: database.pool, wakeRelay }, order, by);
      return reply.code(202).send({ order });
    },
  );
}
