import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { mailSettingsOf } from '../../operations/mail-settings.ts';
import { showReceipt } from '../../operations/show-receipt.ts';
import { actorOf } from '../access.ts';
import type { AppDeps } from '../app-deps.ts';
import { orderParams } from './orders.ts';

const receiptSchema = z
  .object({
    url: z.url().describe('Anybody who has it may read the PDF, until it ends'),
    expiresAt: z.iso.datetime(),
    fileName: z.string(),
    madeAt: z.iso.datetime(),
  })
  .meta({ id: 'Receipt', description: 'Where the receipt of an order is read.' });

/** The receipt of what was captured online. */
export async function orderReceiptRoutes(
  scope: FastifyInstance,
  { config, database: { pool }, files, wakeRelay, log }: AppDeps,
): Promise<void> {
  const app = scope.withTypeProvider<ZodTypeProvider>();
  const deps = { pool, files, settings: mailSettingsOf(config), wakeRelay, log };

  app.get(
    '/v1/orders/:number/receipt',
    {
      config: {
        access: 'order:read',
        problems: ['order_not_found', 'receipt_not_found', 'service_unavailable'],
        answers: { 200: 'An address that works for a quarter of an hour.' },
      },
      schema: {
        operationId: 'getReceipt',
        tags: ['Orders'],
        summary: 'Read the receipt of an order',
        description:
          'Of what was captured online, as a PDF; made now when it was not made yet. An order that is paid at the counter gets its receipt there.',
        params: orderParams,
        response: { 200: z.object({ receipt: receiptSchema }) },
      },
    },
    async (request) => {
      const { expiresAt, madeAt, ...link } = await showReceipt(deps, actorOf(request), request.params.number);
      return { receipt: { ...link, expiresAt: expiresAt.toISOString(), madeAt: madeAt.toISOString() } };
    },
  );
}
