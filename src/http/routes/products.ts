import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { productSchema } from '../../domain/product.ts';
import type { AppDeps } from '../app-deps.ts';

/** The catalogue. */
export async function productRoutes(app: FastifyInstance, { catalogue }: AppDeps): Promise<void> {
  app.get(
    '/v1/products',
    {
      config: { access: 'public', answers: { 200: 'All products, also those that are not available now.' } },
      schema: {
        operationId: 'listProducts',
        tags: ['Catalogue'],
        summary: 'List the products',
        response: { 200: z.object({ products: z.array(productSchema) }) },
      },
    },
    async () => ({
      products: [...catalogue.products().values()],
    }),
  );
}
