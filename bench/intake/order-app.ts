import { createHash } from 'node:crypto';
import Fastify from 'fastify';
import { validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import type { OrderDraft } from '../../src/db/order-intake.ts';
import { orderRequestSchema, orderSchema } from '../../src/domain/order.ts';
import { priceOrder } from '../../src/domain/price-order.ts';
import type { Product } from '../../src/domain/product.ts';
import { laneOf } from '../../src/domain/user.ts';
import { placedOrder } from '../../src/http/placed-order.ts';
import { sendProblem } from '../../src/http/problem.ts';
import { serializerCompiler } from '../../src/http/serialize.ts';
import { createBearerAuthenticate } from './bearer.ts';

export interface OrderApp {
  url: string;
  close(): Promise<void>;
}

/**
 * What the naive server and the ceiling share: the route as ours has it (token, zod, prices from a catalogue in memory, hash of the
 * body, the same answer written by the same serialiser), with the storage left to `store`.
 */
export async function startOrderApp(
  databaseUrl: string,
  secret: string,
  store: (draft: OrderDraft) => Promise<{ number: number; placedAt: number }>,
): Promise<OrderApp> {
  const authenticate = await createBearerAuthenticate(databaseUrl, secret);
  const catalogue = await readCatalogue(databaseUrl);
  const app = Fastify().withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler as never); // typed for zod schemas alone, as in buildApp
  app.setErrorHandler(sendProblem);
  const schema = { body: orderRequestSchema, response: { 201: z.object({ order: orderSchema }) } };
  app.post('/v1/orders', { schema }, async (request, reply) => {
    const actor = authenticate(request);
    const { items, totalMinor, currency } = priceOrder(request.body.items, catalogue);
    const draft: OrderDraft = {
      id: uuidv7(),
      userId: actor.userId,
      actor: 'customer',
      lane: laneOf(actor.role),
      currency,
      totalMinor,
      paymentMethod: request.body.payment.method,
      customerName: request.body.customerName ?? null,
      note: request.body.note ?? null,
      idempotencyKey: String(request.headers['idempotency-key']),
      requestHash: createHash('sha256').update(JSON.stringify(request.body)).digest('hex'),
      items,
    };
    const { number, placedAt } = await store(draft);
    void reply.header('location', `/v1/orders/${number}`);
    return reply.code(201).send({ order: placedOrder({ number, placedAt, draft, isReplay: false }) });
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { url, close: () => app.close() };
}

async function readCatalogue(databaseUrl: string): Promise<Map<string, Product>> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  const { rows } = await client.query<{ sku: string; name: string; price_minor: string; currency: string }>(
    'SELECT sku, name, price_minor, currency FROM products',
  );
  await client.end();
  return new Map(
    rows.map(({ sku, name, price_minor, currency }) => [
      sku,
      {
        ...{ sku, name, description: '', imageUrl: null, soundUrl: null, isAvailable: true },
        price: { amountMinor: Number(price_minor), currency },
      },
    ]),
  );
}
