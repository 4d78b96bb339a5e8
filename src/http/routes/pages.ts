import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import type { AppDeps } from '../app-deps.ts';

const webFolder = fileURLToPath(new URL('../../../web/', import.meta.url));

const pageHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** The pages people look at, and their assets. */
export async function pageRoutes(app: FastifyInstance, _deps: AppDeps): Promise<void> {
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
  app.get('/', async (_request, reply) => reply.sendFile('board.html'));
}
