import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { findMissingMigrations } from '../../db/migrations.ts';
import { within } from '../../operations/within.ts';
import type { AppDeps } from '../app-deps.ts';

const checkMs = 2_000;

const readinessSchema = z
  .object({ status: z.enum(['ready', 'not_ready']), missing: z.array(z.string()), degraded: z.array(z.string()) })
  .meta({ id: 'Readiness', description: 'What it lacks to work, and what works less well.' });

/** `/healthz`: the process lives. `/readyz`: it can work, or what it lacks. */
export async function healthRoutes(app: FastifyInstance, { database, store, log }: AppDeps): Promise<void> {
  app.get(
    '/healthz',
    {
      config: { access: 'public', answers: { 200: 'It lives.' } },
      schema: {
        operationId: 'getHealth',
        tags: ['Service'],
        summary: 'Does the process live?',
        response: { 200: z.object({ status: z.literal('ok') }) },
      },
    },
    async () => ({ status: 'ok' as const }),
  );

  const checks = {
    database: async () => {
      await database.writer.query('SELECT 1');
    },
    migrations: async () => {
      if ((await findMissingMigrations(database.pool)).length > 0)
        throw new Error('migrations are missing: npm run migrate');
    },
    queueStore: () => store.ping(),
  };
  app.get(
    '/readyz',
    {
      config: { access: 'public', answers: { 200: 'It can work.', 503: 'It cannot work; `missing` says why.' } },
      schema: {
        operationId: 'getReadiness',
        tags: ['Service'],
        summary: 'Can the process work?',
        response: { 200: readinessSchema, 503: readinessSchema },
      },
    },
    async (_request, reply) => {
      const results = await Promise.all(
        Object.entries(checks).map(async ([name, check]) => {
          try {
            await within(checkMs, name, check());
            return [];
          } catch (error) {
            log.warn({ check: name, error: (error as Error).message }, 'not ready');
            return [name];
          }
        }),
      );
      const missing = results.flat();
      return reply
        .code(missing.length === 0 ? 200 : 503)
        .send({ status: missing.length === 0 ? 'ready' : 'not_ready', missing, degraded: [] });
    },
  );
}
