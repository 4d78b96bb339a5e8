import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { boardSchema } from '../../domain/board.ts';
import type { AppDeps } from '../app-deps.ts';

export const boardStreamPath = '/v1/board/stream';

/** What everybody may see: the board, whole and as it changes. */
export async function boardRoutes(scope: FastifyInstance, { board }: AppDeps): Promise<void> {
  const app = scope.withTypeProvider<ZodTypeProvider>();

  app.get('/v1/board', { schema: { response: { 200: boardSchema } } }, async (_request, reply) => {
    const json = Buffer.from(await board.read()); // bytes go out as they are: written once, not once for each who asks
    return reply
      .header('cache-control', 'no-store')
      .type('application/json; charset=utf-8')
      .send(json as never);
  });

  // `lastEventId` for clients that cannot send the header
  const query = z.object({ lastEventId: z.string().optional() });
  app.get(boardStreamPath, { exposeHeadRoute: false, schema: { querystring: query } }, async (request, reply) => {
    const header = request.headers['last-event-id'];
    await board.follow(typeof header === 'string' ? header : request.query.lastEventId, () => {
      reply.hijack();
      for (const [name, value] of Object.entries(reply.getHeaders())) reply.raw.setHeader(name, value ?? []); // what hooks have set
      reply.raw.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      return reply.raw;
    });
  });
}
