import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyInstance } from 'fastify';
import { allQueues } from '../../../queues/lanes.ts';
import type { AppDeps } from '../app-deps.ts';
import { createAdminCheck } from '../basic-auth.ts';

const basePath = '/admin/queues';

/** Bull Board over every queue, on either backend, for admins. */
export async function queueBoardRoutes(app: FastifyInstance, { config, store }: AppDeps): Promise<void> {
  app.addHook('onRequest', createAdminCheck(config.admin));
  const adapter = new FastifyAdapter();
  adapter.setBasePath(basePath);
  createBullBoard({
    queues: allQueues.map(({ name }) => new BullMQAdapter(store.queue(name))),
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'twolane queues' } },
  });
  // Bull Board validates by schemas of its own, not by zod.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  await app.register(adapter.registerPlugin(), { prefix: basePath });
}
