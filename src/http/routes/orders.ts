import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { InputInvalidError } from '../../domain/errors.ts';
import { laneSchema } from '../../domain/lane.ts';
import { orderEventSchema, orderRequestSchema, orderSchema } from '../../domain/order.ts';
import { orderStatusSchema } from '../../domain/order-status.ts';
import { numberCursorSchema, pageLimitSchema } from '../../domain/page.ts';
import { textSchema } from '../../domain/text.ts';
import { cancelOrder } from '../../operations/cancel-order.ts';
import { listOrdersFor, showOrder, showOrderEvents } from '../../operations/read-orders.ts';
import { retryOrder } from '../../operations/retry-order.ts';
import { actorOf, auditActorOf } from '../access.ts';
import type { AppDeps } from '../app-deps.ts';
import { placedOrder } from '../placed-order.ts';

const orderAnswer = z.object({ order: orderSchema });
/** What can be no order's number is the number of no order: 404, like any other that is not there. */
export const orderParams = z.object({
  number: z
    .string()
    .transform((text) => (/^[1-9]\d{0,14}$/.test(text) ? Number(text) : 0))
    .meta({ description: 'The number of the order', type: 'integer', minimum: 1, examples: [1042] }),
});
const maxKeyLength = 255;

export async function orderRoutes(scope: FastifyInstance, deps: AppDeps): Promise<void> {
  const app = scope.withTypeProvider<ZodTypeProvider>();
  const { database, store, intake, checkouts, announce, wakeRelay, log } = deps;

  app.post(
    '/v1/orders',
    {
      config: {
        access: 'order:place',
        problems: [
          'forbidden',
          'idempotency_key_reused',
          'product_unknown',
          'product_unavailable',
          'payment_method_unavailable',
          'intake_overloaded',
        ],
        requestHeaders: ['Idempotency-Key'],
        answers: {
          200: {
            description: 'The key was used before for this request: the first order, as it is now.',
            headers: ['Location', 'Idempotent-Replayed'],
          },
          201: { description: 'The order is durable, and on its way into its lane.', headers: ['Location'] },
        },
      },
      schema: {
        operationId: 'placeOrder',
        tags: ['Orders'],
        summary: 'Place an order',
        description:
          'Priced from the catalogue. The role of the account decides the lane; only a manager may choose it. Send an `Idempotency-Key` with every order: a repeat then gives the first answer. An order that is paid online waits for it; its customer pays at `checkoutUrl`, which is null when the provider is slow: ask for it by `POST …/checkout`.',
        body: orderRequestSchema,
        response: { 200: orderAnswer, 201: orderAnswer },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request);
      const accepted = await intake.place(actor, request.body, idempotencyKeyOf(request.headers['idempotency-key']));
      void reply.header('location', `/v1/orders/${accepted.number}`);
      if (accepted.isReplay) {
        void reply.header('idempotent-replayed', 'true');
        return { order: await showOrder(database.pool, actor, accepted.number) };
      }
      request.log.info({ orderNumber: accepted.number }, 'order placed');
      if (accepted.draft.paymentMethod === 'counter') return reply.code(201).send({ order: placedOrder(accepted) });
      // Outside the flight of orders: a provider that is slow keeps this customer alone waiting.
      await checkouts.open({ id: accepted.draft.id, orderNumber: accepted.number }, { wantsCheckout: false });
      return reply.code(201).send({ order: await showOrder(database.pool, actor, accepted.number) });
    },
  );

  app.get(
    '/v1/orders/:number',
    {
      config: { access: 'order:read', problems: ['order_not_found'], answers: { 200: 'The order, with its place.' } },
      schema: {
        operationId: 'getOrder',
        tags: ['Orders'],
        summary: 'Show an order',
        description: 'One’s own; a manager sees all. Another’s order is not there.',
        params: orderParams,
        response: { 200: orderAnswer },
      },
    },
    async (request) => ({
      order: await showOrder(database.pool, actorOf(request), request.params.number),
    }),
  );

  const listQuery = z.strictObject({
    status: orderStatusSchema.optional().describe('Only those in this status'),
    lane: laneSchema.optional().describe('Only those of this lane'),
    q: textSchema(254).min(1).optional().describe('The number of an order, or the whole e-mail of who placed it'),
    limit: pageLimitSchema,
    cursor: numberCursorSchema,
  });
  app.get(
    '/v1/orders',
    {
      config: { access: 'order:read', answers: { 200: 'A page, newest first; `nextCursor` is null on the last.' } },
      schema: {
        operationId: 'listOrders',
        tags: ['Orders'],
        summary: 'List orders',
        description: 'One’s own; a manager sees all.',
        querystring: listQuery,
        response: { 200: z.object({ orders: z.array(orderSchema), nextCursor: z.string().nullable() }) },
      },
    },
    async (request) => listOrdersFor(database.pool, actorOf(request), request.query),
  );

  app.get(
    '/v1/orders/:number/events',
    {
      config: { access: 'order:read', problems: ['order_not_found'], answers: { 200: 'Oldest first.' } },
      schema: {
        operationId: 'listOrderEvents',
        tags: ['Orders'],
        summary: 'Show the life of an order',
        params: orderParams,
        response: { 200: z.object({ events: z.array(orderEventSchema) }) },
      },
    },
    async (request) => ({
      events: await showOrderEvents(database.pool, actorOf(request), request.params.number),
    }),
  );

  const cancelBody = z.strictObject({ reason: textSchema(500).nullish().describe('For the record') }).nullish();
  app.post(
    '/v1/orders/:number/cancel',
    {
      config: {
        access: 'order:cancel',
        problems: ['order_not_found', 'order_transition_refused'],
        answers: { 200: 'The cancelled order.' },
      },
      schema: {
        operationId: 'cancelOrder',
        tags: ['Orders'],
        summary: 'Cancel an order',
        description:
          'Its owner before a bot has begun with it; a manager also while it is processing, and when it has failed.',
        params: orderParams,
        body: cancelBody,
        response: { 200: orderAnswer },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      await cancelOrder({ pool: database.pool, store, announce, wakeRelay, log }, actor, request.params.number, {
        reason: request.body?.reason ?? null,
        address: request.ip,
      });
      return { order: await showOrder(database.pool, actor, request.params.number) };
    },
  );

  app.post(
    '/v1/orders/:number/retry',
    {
      config: {
        access: 'order:retry',
        problems: ['order_not_found', 'order_transition_refused'],
        answers: { 200: 'The order, pending again.' },
      },
      schema: {
        operationId: 'retryOrder',
        tags: ['Orders'],
        summary: 'Put a failed order back',
        params: orderParams,
        response: { 200: orderAnswer },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      await retryOrder({ pool: database.pool, announce }, request.params.number, {
        actor: auditActorOf(request),
        address: request.ip,
      });
      return { order: await showOrder(database.pool, actor, request.params.number) };
    },
  );
}

/** Null when there is none; a fault of the input when it is none. */
export function idempotencyKeyOf(header: string | string[] | undefined): string | null {
  if (header === undefined) return null;
  const isUsable =
    typeof header === 'string' && header.length >= 1 && header.length <= maxKeyLength && /^[\x20-\x7e]+$/.test(header);
  if (!isUsable)
    throw new InputInvalidError([
      { path: 'idempotency-key', message: `takes 1 to ${maxKeyLength} printable ASCII characters` },
    ]);
  return header;
}
