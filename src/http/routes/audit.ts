import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { listAuditEvents } from '../../db/audit-events.ts';
import { auditActionSchema, auditEventSchema } from '../../domain/audit.ts';
import { numberCursorSchema, pageLimitSchema, pageOf } from '../../domain/page.ts';
import { textSchema } from '../../domain/text.ts';
import type { AppDeps } from '../app-deps.ts';

const listQuery = z.strictObject({
  action: auditActionSchema.optional().describe('Only this action'),
  actor: textSchema(254)
    .min(1)
    .optional()
    .describe('Only what was done under this name: an e-mail, or that of the admin'),
  limit: pageLimitSchema,
  cursor: numberCursorSchema,
});

/** Who did what, for managers and the admin. */
export async function auditRoutes(scope: FastifyInstance, { database }: AppDeps): Promise<void> {
  const app = scope.withTypeProvider<ZodTypeProvider>();
  app.get(
    '/v1/admin/audit',
    {
      config: {
        access: 'admin or manager',
        answers: { 200: 'A page, newest first; `nextCursor` is null on the last.' },
      },
      schema: {
        operationId: 'listAuditEvents',
        tags: ['Administration'],
        summary: 'Who did what',
        querystring: listQuery,
        response: { 200: z.object({ events: z.array(auditEventSchema), nextCursor: z.string().nullable() }) },
      },
    },
    async (request) => {
      const { limit, cursor, ...filter } = request.query;
      const found = await listAuditEvents(database.pool, { ...filter, beforeId: cursor, limit: limit + 1 });
      const { items: events, nextCursor } = pageOf(found, limit, ({ id }) => id);
      return { events, nextCursor };
    },
  );
}
