import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { listBots } from '../../db/bots.ts';
import { botSchema } from '../../domain/bot.ts';
import { addBot } from '../../operations/add-bot.ts';
import { removeNewestBot } from '../../operations/remove-newest-bot.ts';
import type { AppDeps } from '../app-deps.ts';
import { requireRole } from '../authenticate.ts';

export async function botRoutes(app: FastifyInstance, { database, authenticate, announce }: AppDeps): Promise<void> {
  const { pool } = database;

  app.get('/v1/bots', { schema: { response: { 200: z.object({ bots: z.array(botSchema) }) } } }, async (request) => {
    await authenticate(request);
    return { bots: await listBots(pool) };
  });

  app.post('/v1/bots', { schema: { response: { 201: z.object({ bot: botSchema }) } } }, async (request, reply) => {
    requireRole(await authenticate(request), 'MANAGER');
    return reply.code(201).send({ bot: await addBot({ pool, announce }) });
  });

  const removed = z.object({ bot: botSchema, returnedOrderNumber: z.int().nullable() });
  app.delete('/v1/bots/newest', { schema: { response: { 200: removed } } }, async (request) => {
    requireRole(await authenticate(request), 'MANAGER');
    return removeNewestBot({ pool, announce });
  });
}
