import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { findPaymentOfOrder } from '../../db/payments.ts';
import { OrderTransitionRefusedError, ServiceUnavailableError } from '../../domain/errors.ts';
import { moneySchema } from '../../domain/money.ts';
import { refundSchema } from '../../domain/payment.ts';
import { textSchema } from '../../domain/text.ts';
import { showOrder } from '../../operations/read-orders.ts';
import { refundOrder } from '../../operations/refund-order.ts';
import { actorOf, auditActorOf } from '../access.ts';
import type { AppDeps } from '../app-deps.ts';
import { orderParams } from './orders.ts';

const refundBody = z
  .strictObject({
    amount: moneySchema.nullish().describe('All that is left, when it is left out'),
    reason: textSchema(500).nullish().describe('For the record'),
  })
  .nullish();

/** The money of an order. What is paid at the counter is paid there: it has no checkout, and nothing that could be given back. */
export async function orderPaymentRoutes(
  scope: FastifyInstance,
  { database, checkouts, wakeRelay }: AppDeps,
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
        problems: ['order_not_found', 'refund_exceeds_captured'],
        answers: { 201: 'Written down; the provider is asked at once, and until it has answered clearly.' },
      },
      schema: {
        operationId: 'refundOrder',
        tags: ['Orders'],
        summary: 'Give money back',
        description:
          'Of what was captured online; all that is left of it, unless an amount is given. What was paid at the counter is given back there.',
        params: orderParams,
        body: refundBody,
        response: { 201: z.object({ refund: refundSchema }) },
      },
    },
    async (request, reply) => {
      const order = await showOrder(database.pool, actorOf(request), request.params.number);
      const { amount = null, reason = null } = request.body ?? {};
      const by = { actor: auditActorOf(request), address: request.ip };
      const refund = await refundOrder({ pool: database.pool, wakeRelay }, order.number, { amount, reason }, by);
      const { id, state, createdAt } = refund;
      return reply.code(201).send({
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
}
