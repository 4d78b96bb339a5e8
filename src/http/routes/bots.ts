import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { listBots } from '../../db/bots.ts';
import { botSchema } from '../../domain/bot.ts';
import { addBot } from '../../operations/add-bot.ts';
import { removeNewestBot } from '../../operations/remove-newest-bot.ts';
import { auditActorOf } from '../access.ts';
import type { AppDeps } from '../app-deps.ts';

export async function botRoutes(app: FastifyInstance, { database, announce }: AppDeps): Promise<void> {
  const { pool } = database;

  app.get(
    '/v1/bots',
    {
      config: { access: 'bot:read', answers: { 200: 'All bots, and what each is doing.' } },
      schema: {
        operationId: 'listBots',
        tags: ['Bots'],
        summary: 'List the bots',
        response: { 200: z.object({ bots: z.array(botSchema) }) },
      },
    },
    async () => {
      return { bots: await listBots(pool) };
    },
  );

  app.post(
    '/v1/bots',
    {
      config: { access: 'bot:add', answers: { 201: 'The new bot. A host takes it in a moment.' } },
      schema: {
        operationId: 'addBot',
        tags: ['Bots'],
        summary: 'Add a bot',
        response: { 201: z.object({ bot: botSchema }) },
      },
    },
    async (request, reply) => {
      return reply
        .code(201)
        .send({ bot: await addBot({ pool, announce }, { actor: auditActorOf(request), address: request.ip }) });
    },
  );

  const removed = z.object({ bot: botSchema, returnedOrderNumber: z.int().nullable() });
  app.delete(
    '/v1/bots/newest',
    {
      config: {
        access: 'bot:remove',
        problems: ['no_bots'],
        answers: { 200: 'The bot that is gone, and the order it gave back.' },
      },
      schema: {
        operationId: 'removeNewestBot',
        tags: ['Bots'],
        summary: 'Remove the newest bot',
        description: 'What it has in hand goes back to its place in its lane at once.',
        response: { 200: removed },
      },
    },
    async (request) => {
      return removeNewestBot({ pool, announce }, { actor: auditActorOf(request), address: request.ip });
    },
  );
}
