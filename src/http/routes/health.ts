import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { findMissingMigrations } from '../../db/migrations.ts';
import { listServiceFaults } from '../../db/service-faults.ts';
import { within } from '../../operations/within.ts';
import type { AppDeps } from '../app-deps.ts';

const checkMs = 2_000;

const readinessSchema = z
  .object({ status: z.enum(['ready', 'not_ready']), missing: z.array(z.string()), degraded: z.array(z.string()) })
  .meta({ id: 'Readiness', description: 'What it lacks to work, and what works less well.' });

/** `/healthz`: the process lives. `/readyz`: it can work, or what it lacks. */
export async function healthRoutes(app: FastifyInstance, { config, database, store, log }: AppDeps): Promise<void> {
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
  const { files, backups } = config.stores;
  const notSetUp = [...(files ? [] : ['files']), ...(backups ? [] : ['backups'])];
  /** Of what could not be asked, nothing is said: then the database is among what is missing. */
  const findDegraded = async () => {
    try {
      const faults = await within(checkMs, 'service faults', listServiceFaults(database.pool));
      return [...new Set([...notSetUp, ...faults.map(({ service }) => service)])].sort();
    } catch (error) {
      log.debug({ error: (error as Error).message }, 'service faults not read');
      return notSetUp;
    }
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
      const degraded = findDegraded();
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
        .send({ status: missing.length === 0 ? 'ready' : 'not_ready', missing, degraded: await degraded });
    },
  );
}
