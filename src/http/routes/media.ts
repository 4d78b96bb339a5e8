import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyError, FastifyInstance } from 'fastify';
import { markRoutes } from '../access.ts';
import { hideRoutes } from '../openapi/hide-routes.ts';
import { sendProblem, sendRouteNotFound } from '../problem.ts';

const mediaFolder = fileURLToPath(new URL('../../../assets/', import.meta.url));

const mediaHeaders = {
  // An SVG is a document too: opened by itself, it must not run or load anything.
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
  'x-content-type-options': 'nosniff',
  // Shops show them on pages of their own.
  'cross-origin-resource-policy': 'cross-origin',
  'cache-control': 'public, max-age=604800',
};

/** Pictures and sounds of the catalogue, as `imageUrl` and `soundUrl` name them. */
export async function mediaRoutes(app: FastifyInstance): Promise<void> {
  markRoutes(app, 'public');
  hideRoutes(app);
  // A way out of the folder is no more there than a file that nobody made.
  app.setErrorHandler((error: FastifyError, request, reply) =>
    error.statusCode === 403 ? sendRouteNotFound(request, reply) : sendProblem(error, request, reply),
  );
  await app.register(fastifyStatic, {
    root: mediaFolder,
    prefix: '/media/',
    index: false,
    cacheControl: false,
    decorateReply: false,
    setHeaders: (reply) => {
      reply.headers(mediaHeaders);
    },
  });
}
