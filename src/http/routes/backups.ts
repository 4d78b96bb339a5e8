import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { findBackup } from '../../db/backups.ts';
import { backupListSchema, backupSchema } from '../../domain/backup.ts';
import { BackupNotFoundError, ServiceUnavailableError } from '../../domain/errors.ts';
import { askForBackup } from '../../operations/ask-for-backup.ts';
import { backupPlanOf, readBackups } from '../../operations/read-backups.ts';
import { auditActorOf } from '../access.ts';
import type { AppDeps } from '../app-deps.ts';

const backupAnswer = z.object({ backup: backupSchema });
const nobody = '00000000-0000-0000-0000-000000000000';
/** What can be no backup's id is the id of no backup: 404. */
const params = z.object({
  id: z
    .string()
    .transform((text) => (z.uuid().safeParse(text).success ? text : nobody))
    .meta({ description: 'The id of the backup', format: 'uuid' }),
});

/** Which backups there are, whether they were restored to try them, and one more by hand. */
export async function backupRoutes(
  scope: FastifyInstance,
  { config, database: { pool }, wakeRelay }: AppDeps,
): Promise<void> {
  const app = scope.withTypeProvider<ZodTypeProvider>();
  const plan = backupPlanOf(config);

  app.get(
    '/v1/admin/backups',
    {
      config: { access: 'admin or manager', answers: { 200: 'What there is, what is under way, and what failed.' } },
      schema: {
        operationId: 'listBackups',
        tags: ['Administration'],
        summary: 'Show the backups',
        description:
          'A backup is `verified` once it was read back, restored into a scratch database and compared. `lastVerified` says what could be lost at most, and how long a restore takes.',
        response: { 200: backupListSchema },
      },
    },
    async () => readBackups({ pool, plan }),
  );

  app.post(
    '/v1/admin/backups',
    {
      config: {
        access: 'admin',
        problems: ['service_unavailable'],
        answers: { 202: 'It waits for a worker, or is under way.' },
      },
      schema: {
        operationId: 'requestBackup',
        tags: ['Administration'],
        summary: 'Make a backup now',
        description:
          'While one waits or is under way, the answer is that one. Ask for it by its id to see how far it is.',
        response: { 202: backupAnswer },
      },
    },
    async (request, reply) => {
      if (plan.store === null)
        throw new ServiceUnavailableError(
          'A store for backups (BACKUP_S3_ENDPOINT and its companions) is not set up: it',
        );
      const backup = await askForBackup({ pool, wakeRelay }, { actor: auditActorOf(request), address: request.ip });
      return reply.code(202).send({ backup });
    },
  );

  app.get(
    '/v1/admin/backups/:id',
    {
      config: {
        access: 'admin or manager',
        problems: ['backup_not_found'],
        answers: { 200: 'The backup as it is now.' },
      },
      schema: {
        operationId: 'getBackup',
        tags: ['Administration'],
        summary: 'Show a backup',
        params,
        response: { 200: backupAnswer },
      },
    },
    async (request) => {
      const backup = await findBackup(pool, request.params.id);
      if (!backup) throw new BackupNotFoundError();
      return { backup };
    },
  );
}
