import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { InputInvalidError } from '../../domain/errors.ts';
import { laneSchema } from '../../domain/lane.ts';
import { orderEventSchema, orderRequestSchema, orderSchema } from '../../domain/order.ts';
import { orderStatusSchema } from '../../domain/order-status.ts';
import { textSchema } from '../../domain/text.ts';
import { cancelOrder } from '../../operations/cancel-order.ts';
import { listOrdersFor, showOrder, showOrderEvents } from '../../operations/read-orders.ts';
import { retryOrder } from '../../operations/retry-order.ts';
import type { AppDeps } from '../app-deps.ts';
import { requireRole } from '../authenticate.ts';
import { placedOrder } from '../placed-order.ts';

const orderAnswer = z.object({ order: orderSchema });
/** What can be no order's number is the number of no order: 404, like any other that is not there. */
const numberParams = z.object({
  number: z.string().transform((text) => (/^[1-9]\d{0,14}$/.test(text) ? Number(text) : 0)),
});
const maxKeyLength = 255;

export async function orderRoutes(scope: FastifyInstance, deps: AppDeps): Promise<void> {
  const app = scope.withTypeProvider<ZodTypeProvider>();
  const { database, store, intake, authenticate, announce, log } = deps;

  app.post(
    '/v1/orders',
    { schema: { body: orderRequestSchema, response: { 200: orderAnswer, 201: orderAnswer } } },
    async (request, reply) => {
      const actor = await authenticate(request);
      const accepted = await intake.place(actor, request.body, idempotencyKeyOf(request.headers['idempotency-key']));
      void reply.header('location', `/v1/orders/${accepted.number}`);
      if (accepted.isReplay) {
        void reply.header('idempotent-replayed', 'true');
        return { order: await showOrder(database.pool, actor, accepted.number) };
      }
      request.log.info({ orderNumber: accepted.number }, 'order placed');
      return reply.code(201).send({ order: placedOrder(accepted) });
    },
  );

  app.get(
    '/v1/orders/:number',
    { schema: { params: numberParams, response: { 200: orderAnswer } } },
    async (request) => ({
      order: await showOrder(database.pool, await authenticate(request), request.params.number),
    }),
  );

  const listQuery = z.strictObject({
    status: orderStatusSchema.optional(),
    lane: laneSchema.optional(),
    q: textSchema(254).min(1).optional(),
    limit: z.coerce.number().int().min(1).max(200).default(50),
    cursor: z
      .string()
      .regex(/^\d{1,15}$/, 'is not a cursor of ours')
      .optional(),
  });
  app.get(
    '/v1/orders',
    {
      schema: {
        querystring: listQuery,
        response: { 200: z.object({ orders: z.array(orderSchema), nextCursor: z.string().nullable() }) },
      },
    },
    async (request) => listOrdersFor(database.pool, await authenticate(request), request.query),
  );

  app.get(
    '/v1/orders/:number/events',
    { schema: { params: numberParams, response: { 200: z.object({ events: z.array(orderEventSchema) }) } } },
    async (request) => ({
      events: await showOrderEvents(database.pool, await authenticate(request), request.params.number),
    }),
  );

  const cancelBody = z.strictObject({ reason: textSchema(500).nullish() }).nullish();
  app.post(
    '/v1/orders/:number/cancel',
    { schema: { params: numberParams, body: cancelBody, response: { 200: orderAnswer } } },
    async (request) => {
      const actor = await authenticate(request);
      await cancelOrder(
        { pool: database.pool, store, announce, log },
        actor,
        request.params.number,
        request.body?.reason ?? null,
      );
      return { order: await showOrder(database.pool, actor, request.params.number) };
    },
  );

  app.post(
    '/v1/orders/:number/retry',
    { schema: { params: numberParams, response: { 200: orderAnswer } } },
    async (request) => {
      const actor = await authenticate(request);
      requireRole(actor, 'MANAGER');
      await retryOrder({ pool: database.pool, announce }, request.params.number);
      return { order: await showOrder(database.pool, actor, request.params.number) };
    },
  );
}

function idempotencyKeyOf(header: string | string[] | undefined): string | null {
  if (header === undefined) return null;
  const isUsable =
    typeof header === 'string' && header.length >= 1 && header.length <= maxKeyLength && /^[\x20-\x7e]+$/.test(header);
  if (!isUsable)
    throw new InputInvalidError([
      { path: 'idempotency-key', message: `takes 1 to ${maxKeyLength} printable ASCII characters` },
    ]);
  return header;
}
