import type { FastifyInstance } from 'fastify';
import type { AppDeps } from '../app-deps.ts';
import { hideRoutes } from '../openapi/hide-routes.ts';

/** What it looks at of the settings; a test gives no more. */
interface DevMailDeps {
  config: Pick<AppDeps['config'], 'env'> & { mail: Pick<AppDeps['config']['mail'], 'devMailUrl' | 'smtp'> };
}

/** The way from the shop to the mails that it sent, where a demo catches them; or where they go. In production there is no such page. */
export async function devMailRoutes(app: FastifyInstance, { config }: DevMailDeps): Promise<void> {
  const { devMailUrl, smtp } = config.mail;
  if (config.env === 'production') return;
  hideRoutes(app);
  app.get('/dev/mail', { config: { access: 'public' } }, async (_request, reply) => {
    if (devMailUrl !== null) return reply.redirect(devMailUrl, 302);
    const where = smtp
      ? `Mails go out by ${smtp.host}; nothing is caught here.`
      : 'No mails are sent: SMTP_HOST is not set.';
    return reply.type('text/plain; charset=utf-8').send(`${where}\n`);
  });
}
