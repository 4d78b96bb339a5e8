import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { OrderTransitionRefusedError, RefundExceedsCapturedError } from '../../domain/errors.ts';
import { moneySchema } from '../../domain/money.ts';
import { textSchema } from '../../domain/text.ts';
import { showOrder } from '../../operations/read-orders.ts';
import { actorOf } from '../access.ts';
import type { AppDeps } from '../app-deps.ts';
import { orderParams } from './orders.ts';

const refundBody = z.strictObject({ amount: moneySchema.nullish(), reason: textSchema(500).nullish() }).nullish();

/** The money of an order. What is paid at the counter is paid there: it has no checkout, and nothing that could be given back. */
export async function orderPaymentRoutes(scope: FastifyInstance, { database }: AppDeps): Promise<void> {
  const app = scope.withTypeProvider<ZodTypeProvider>();

  app.post(
    '/v1/orders/:number/checkout',
    {
      config: { access: 'order:checkout', problems: ['order_not_found', 'order_transition_refused'] },
      schema: {
        operationId: 'checkOut',
        tags: ['Orders'],
        summary: 'Pay for an order online',
        description: 'What is paid at the counter has no checkout: refused, as long as no other way to pay is set up.',
        params: orderParams,
      },
    },
    async (request) => {
      const order = await showOrder(database.pool, actorOf(request), request.params.number);
      throw new OrderTransitionRefusedError(order.number, order.status, 'awaiting_payment');
    },
  );

  app.post(
    '/v1/orders/:number/refunds',
    {
      config: { access: 'order:refund', problems: ['order_not_found', 'refund_exceeds_captured'] },
      schema: {
        operationId: 'refundOrder',
        tags: ['Orders'],
        summary: 'Give money back',
        description:
          'Of what was captured online; all of it, unless an amount is given. What was paid at the counter is given back there.',
        params: orderParams,
        body: refundBody,
      },
    },
    async (request) => {
      const order = await showOrder(database.pool, actorOf(request), request.params.number);
      throw new RefundExceedsCapturedError(order.number);
    },
  );
}
