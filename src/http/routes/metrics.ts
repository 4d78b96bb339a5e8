import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../metrics.ts';
import { hideRoutes } from '../openapi/hide-routes.ts';

/** For Prometheus, by Basic auth alone. */
export async function metricsRoutes(app: FastifyInstance, metrics: Metrics): Promise<void> {
  hideRoutes(app);
  app.get('/metrics', { config: { access: 'admin' } }, async (_request, reply) => {
    const text = await metrics.read();
    return reply.type(metrics.contentType).send(text);
  });
}
