import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { productSchema } from '../../domain/product.ts';
import type { AppDeps } from '../app-deps.ts';

export async function productRoutes(app: FastifyInstance, { catalogue }: AppDeps): Promise<void> {
  app.get(
    '/v1/products',
    { schema: { response: { 200: z.object({ products: z.array(productSchema) }) } } },
    async () => ({
      products: [...catalogue.products().values()],
    }),
  );
}
