import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { recordAudit } from '../../db/audit-events.ts';
import { upsertProducts } from '../../db/products.ts';
import { InputInvalidError } from '../../domain/errors.ts';
import { type ProductImport, productImportSchema } from '../../domain/product.ts';
import { queueStatusSchema } from '../../domain/queue-status.ts';
import type { MediaLibrary } from '../../operations/media-library.ts';
import { readQueueStatus } from '../../operations/read-queue-status.ts';
import { rebuildQueues } from '../../operations/rebuild-queues.ts';
import { within } from '../../operations/within.ts';
import { auditActorOf } from '../access.ts';
import type { AppDeps } from '../app-deps.ts';

const maxProducts = 5_000;

/** What only admins may do, by Basic auth. */
export async function adminRoutes(
  scope: FastifyInstance,
  { database, store, catalogue, media, log }: AppDeps,
): Promise<void> {
  const app = scope.withTypeProvider<ZodTypeProvider>();

  const rebuilt = z.object({ rebuilt: z.object({ vip: z.int(), normal: z.int() }) });
  app.post(
    '/v1/admin/queues/rebuild',
    {
      handlerTimeout: 600_000,
      config: { access: 'admin', answers: { 200: 'How many orders were put back into each lane.' } },
      schema: {
        operationId: 'rebuildQueues',
        tags: ['Administration'],
        summary: 'Fill the queues anew',
        description: 'From the database, which is the truth. What is still in a queue is not put there twice.',
        response: { 200: rebuilt },
      },
    },
    async (request) => {
      const done = await rebuildQueues({ database, store, log });
      const by = { actor: auditActorOf(request), address: request.ip };
      await recordAudit(database.pool, { action: 'queues_rebuilt', subject: null, detail: done, ...by });
      return { rebuilt: done };
    },
  );

  app.get(
    '/v1/admin/queues',
    {
      config: { access: 'admin or manager', answers: { 200: 'Each queue, and what waits to be handed over.' } },
      schema: {
        operationId: 'getQueues',
        tags: ['Administration'],
        summary: 'Show the queues',
        response: { 200: queueStatusSchema },
      },
    },
    async () => within(5_000, 'The queue store', readQueueStatus({ pool: database.pool, store })),
  );

  const products = z.strictObject({ products: z.array(productImportSchema).min(1).max(maxProducts) });
  app.post(
    '/v1/admin/products',
    {
      bodyLimit: 2 * 1024 * 1024,
      config: { access: 'admin', answers: { 200: 'How many products were added or changed.' } },
      schema: {
        operationId: 'importProducts',
        tags: ['Administration'],
        summary: 'Import products',
        description:
          'Adds what is new and changes what is there, by `sku`; what is left out stays as it was. All of them or none.',
        body: products,
        response: { 200: z.object({ imported: z.int() }) },
      },
    },
    async (request) => {
      refuseRepeatedSkus(request.body.products);
      const by = { actor: auditActorOf(request), address: request.ip };
      const products = request.body.products.map((product) => withPlainUrls(media, product));
      const imported = await database.pool.transaction(async (transaction) => {
        const count = await upsertProducts(transaction, products);
        await recordAudit(transaction, {
          action: 'products_imported',
          subject: null,
          detail: { imported: count },
          ...by,
        });
        return count;
      });
      await catalogue.refresh();
      return { imported };
    },
  );
}

/** Somebody may import what `GET /v1/products` said: a version that it named then would be gone with the next picture. */
function withPlainUrls(media: MediaLibrary, product: ProductImport): ProductImport {
  const { imageUrl, soundUrl } = product;
  return {
    ...product,
    ...(imageUrl && { imageUrl: media.plainUrlOf(imageUrl) }),
    ...(soundUrl && { soundUrl: media.plainUrlOf(soundUrl) }),
  };
}

function refuseRepeatedSkus(products: readonly ProductImport[]): void {
  const seen = new Set<string>();
  const faults = products.flatMap(({ sku }, index) => {
    const isRepeated = seen.has(sku);
    seen.add(sku);
    return isRepeated ? [{ path: `products.${index}.sku`, message: 'stands in this import already' }] : [];
  });
  if (faults.length > 0) throw new InputInvalidError(faults);
}
