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
    { config: { access: 'order:checkout' }, schema: { params: orderParams } },
    async (request) => {
      const order = await showOrder(database.pool, actorOf(request), request.params.number);
      throw new OrderTransitionRefusedError(order.number, order.status, 'awaiting_payment');
    },
  );

  app.post(
    '/v1/orders/:number/refunds',
    { config: { access: 'order:refund' }, schema: { params: orderParams, body: refundBody } },
    async (request) => {
      const order = await showOrder(database.pool, actorOf(request), request.params.number);
      throw new RefundExceedsCapturedError(order.number);
    },
  );
}
