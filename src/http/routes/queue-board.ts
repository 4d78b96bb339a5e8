import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyInstance } from 'fastify';
import { allQueues } from '../../../queues/all-queues.ts';
import { markRoutes } from '../access.ts';
import type { AppDeps } from '../app-deps.ts';
import { hideRoutes } from '../openapi/hide-routes.ts';

const basePath = '/admin/queues';

/** What Bull Board's page needs; the fonts that it would fetch from elsewhere are no need, so nobody elsewhere hears of an admin. */
const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'";

/** Bull Board over every queue, on either backend, for admins. */
export async function queueBoardRoutes(app: FastifyInstance, { store }: AppDeps): Promise<void> {
  markRoutes(app, 'admin');
  hideRoutes(app);
  const adapter = new FastifyAdapter();
  adapter.setBasePath(basePath);
  createBullBoard({
    queues: allQueues.map(({ name }) => new BullMQAdapter(store.queue(name))),
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'twolane queues', miscLinks: [{ text: 'Backups', url: '/admin/backups' }] } },
  });
  // Its own would tell the error's text; thrown on, it comes to ours.
  adapter.setErrorHandler((error) => {
    throw error;
  });
  app.addHook('onRequest', (_request, reply, done) => {
    void reply.header('content-security-policy', contentSecurityPolicy);
    done();
  });
  // Bull Board validates by schemas of its own, not by zod.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  await app.register(adapter.registerPlugin(), { prefix: basePath });
}
