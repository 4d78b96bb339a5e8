import type { FastifyInstance } from 'fastify';
import { listServiceFaults } from '../../db/service-faults.ts';
import { askForBackup } from '../../operations/ask-for-backup.ts';
import { backupPlanOf, readBackups } from '../../operations/read-backups.ts';
import { auditActorOf, markRoutes } from '../access.ts';
import type { AppDeps } from '../app-deps.ts';
import { backupPage } from '../backup-page.ts';
import { hideRoutes } from '../openapi/hide-routes.ts';

const pagePolicy =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/** `/admin/backups`: the backups for people, with the button that makes one. The guard lets no other page press it. */
export async function backupPageRoutes(
  app: FastifyInstance,
  { config, database: { pool }, wakeRelay }: AppDeps,
): Promise<void> {
  markRoutes(app, 'admin');
  hideRoutes(app);
  const plan = backupPlanOf(config);
  // The form has no fields.
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: 1_024 },
    async () => null,
  );

  app.get('/admin/backups', async (_request, reply) => {
    const now = new Date();
    const [list, faults] = await Promise.all([readBackups({ pool, plan }, now), listServiceFaults(pool)]);
    const fault = faults.find(({ service }) => service === 'backups') ?? null;
    return reply
      .header('content-security-policy', pagePolicy)
      .type('text/html; charset=utf-8')
      .send(backupPage({ ...list, fault }, now));
  });

  app.post('/admin/backups', async (request, reply) => {
    if (plan.store !== null)
      await askForBackup({ pool, wakeRelay }, { actor: auditActorOf(request), address: request.ip });
    return reply.redirect('/admin/backups', 303);
  });
}
