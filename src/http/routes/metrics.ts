import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../metrics.ts';

/** For Prometheus, by Basic auth alone. */
export async function metricsRoutes(app: FastifyInstance, metrics: Metrics): Promise<void> {
  app.get(
    '/metrics',
    {
      config: {
        access: 'admin',
        answers: { 200: { description: 'In the text format of Prometheus.', contentType: 'text/plain' } },
      },
      schema: { operationId: 'getMetrics', tags: ['Service'], summary: 'Figures for Prometheus' },
    },
    async (_request, reply) => {
      const text = await metrics.read();
      return reply.type(metrics.contentType).send(text);
    },
  );
}
