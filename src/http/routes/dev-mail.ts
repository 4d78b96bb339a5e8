import type { FastifyInstance } from 'fastify';
import type { AppDeps } from '../app-deps.ts';
import { hideRoutes } from '../openapi/hide-routes.ts';

/** What it looks at of the settings; a test gives no more. */
type DevMailDeps = { config: Pick<AppDeps['config'], 'env'> & { mail: Pick<AppDeps['config']['mail'], 'devMailUrl'> } };

/** The way from the shop to the mails that it sent, where a demo catches them. In production there is no such page. */
export async function devMailRoutes(app: FastifyInstance, { config }: DevMailDeps): Promise<void> {
  const { devMailUrl } = config.mail;
  if (config.env === 'production' || devMailUrl === null) return;
  hideRoutes(app);
  app.get('/dev/mail', { config: { access: 'public' } }, async (_request, reply) => reply.redirect(devMailUrl, 302));
}
