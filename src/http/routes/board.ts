import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { boardSchema } from '../../domain/board.ts';
import type { AppDeps } from '../app-deps.ts';

export const boardStreamPath = '/v1/board/stream';

const streamDescription = `Server-sent events, one sequence of ids for all:

- \`snapshot\`: the whole of \`GET /v1/board\`; first, and whenever the gap since the last event is too old.
- \`order\`: one move of one order, \`{ number, lane, from, to, botNumber, at }\`.
- \`bots\`: \`{ total, idle, processing }\`.`;

/** What everybody may see: the board, whole and as it changes. */
export async function boardRoutes(scope: FastifyInstance, { board }: AppDeps): Promise<void> {
  const app = scope.withTypeProvider<ZodTypeProvider>();

  app.get(
    '/v1/board',
    {
      config: { access: 'public', answers: { 200: 'The board as it is now.' } },
      schema: { operationId: 'getBoard', tags: ['Board'], summary: 'Show the board', response: { 200: boardSchema } },
    },
    async (_request, reply) => {
      const json = Buffer.from(await board.read()); // bytes go out as they are: written once, not once for each who asks
      return reply
        .header('cache-control', 'no-store')
        .type('application/json; charset=utf-8')
        .send(json as never);
    },
  );

  const query = z.object({ lastEventId: z.string().optional().describe('For clients that cannot send the header') });
  app.get(
    boardStreamPath,
    {
      exposeHeadRoute: false,
      config: {
        access: 'public',
        requestHeaders: ['Last-Event-ID'],
        answers: {
          200: {
            description: 'Events without end, and a comment line at least every 15 s.',
            contentType: 'text/event-stream',
          },
        },
      },
      schema: {
        operationId: 'followBoard',
        tags: ['Board'],
        summary: 'Follow the board',
        description: streamDescription,
        querystring: query,
      },
    },
    async (request, reply) => {
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
    },
  );
}
