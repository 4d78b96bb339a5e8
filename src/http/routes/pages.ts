import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyError, FastifyInstance } from 'fastify';
import { listUsers } from '../../db/users.ts';
import { sampleEmails, samplePassword } from '../../domain/user.ts';
import { markRoutes } from '../access.ts';
import type { AppDeps } from '../app-deps.ts';
import { hideRoutes } from '../openapi/hide-routes.ts';
import { sendProblem, sendRouteNotFound } from '../problem.ts';

const webFolder = fileURLToPath(new URL('../../../web/', import.meta.url));

const pageHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  // pictures and sounds may stand in a shop's own pages; frames of ours may not
  'cross-origin-resource-policy': 'cross-origin',
};

/** The pages people look at, and their assets. */
export async function pageRoutes(app: FastifyInstance, { config, database }: AppDeps): Promise<void> {
  markRoutes(app, 'public');
  hideRoutes(app);
  // A way out of the folder is no more there than a file that nobody made.
  app.setErrorHandler((error: FastifyError, request, reply) =>
    error.statusCode === 403 ? sendRouteNotFound(request, reply) : sendProblem(error, request, reply),
  );
  // `no-cache` asks each time and gets a 304: a new version is seen at once
  await app.register(fastifyStatic, {
    root: webFolder,
    prefix: '/assets/',
    index: false,
    cacheControl: false,
    setHeaders: (reply) => {
      reply.headers({ ...pageHeaders, 'cache-control': 'no-cache' });
    },
  });
  app.get('/', { config: { access: 'public' } }, async (_request, reply) => reply.sendFile('board.html'));

  // The sign-in of a demo offers its sample accounts, of which everybody knows the password; elsewhere nothing is said of them.
  const isDemo = config.env === 'development';
  app.get('/assets/demo-accounts.json', async () => {
    if (!isDemo) return { accounts: [] };
    const users = await listUsers(database.pool, { q: '@twolane.test', limit: 100 });
    const accounts = users.filter(({ email }) => sampleEmails.includes(email));
    return {
      password: samplePassword,
      accounts: accounts.map(({ email, displayName, role }) => ({ email, displayName, role })),
    };
  });
}
