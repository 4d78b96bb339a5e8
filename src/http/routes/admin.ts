import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { upsertProducts } from '../../db/products.ts';
import { InputInvalidError } from '../../domain/errors.ts';
import { type ProductImport, productImportSchema } from '../../domain/product.ts';
import { readQueueStatus } from '../../operations/read-queue-status.ts';
import { rebuildQueues } from '../../operations/rebuild-queues.ts';
import { within } from '../../operations/within.ts';
import type { AppDeps } from '../app-deps.ts';
import { createAdminCheck } from '../basic-auth.ts';

const maxProducts = 5_000;

/** What only admins may do, by Basic auth. */
export async function adminRoutes(
  scope: FastifyInstance,
  { config, database, store, catalogue, log }: AppDeps,
): Promise<void> {
  const app = scope.withTypeProvider<ZodTypeProvider>();
  app.addHook('onRequest', createAdminCheck(config.admin));

  const rebuilt = z.object({ rebuilt: z.object({ vip: z.int(), normal: z.int() }) });
  app.post(
    '/v1/admin/queues/rebuild',
    { handlerTimeout: 600_000, schema: { response: { 200: rebuilt } } },
    async () => ({
      rebuilt: await rebuildQueues({ database, store, log }),
    }),
  );

  app.get('/v1/admin/queues', async () =>
    within(5_000, 'The queue store', readQueueStatus({ pool: database.pool, store })),
  );

  const products = z.strictObject({ products: z.array(productImportSchema).min(1).max(maxProducts) });
  app.post(
    '/v1/admin/products',
    { bodyLimit: 2 * 1024 * 1024, schema: { body: products, response: { 200: z.object({ imported: z.int() }) } } },
    async (request) => {
      refuseRepeatedSkus(request.body.products);
      const imported = await upsertProducts(database.pool, request.body.products);
      await catalogue.refresh();
      return { imported };
    },
  );
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
