import { stat } from 'node:fs/promises';
import fastifyStatic from '@fastify/static';
import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify';
import { keptForEver } from '../../operations/sync-media.ts';
import { type Asset, isUnchanged } from '../../storage/asset-index.ts';
import { markRoutes } from '../access.ts';
import type { AppDeps } from '../app-deps.ts';
import { hideRoutes } from '../openapi/hide-routes.ts';
import { sendProblem, sendRouteNotFound } from '../problem.ts';

const mediaHeaders = {
  // An SVG is a document too: opened by itself, it must not run or load anything.
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
  'x-content-type-options': 'nosniff',
  // Shops show them on pages of their own.
  'cross-origin-resource-policy': 'cross-origin',
};
/** A plain name means whatever lies there today. */
const keptForNow = 'public, max-age=300';

/** Pictures and sounds of the catalogue, as `imageUrl` and `soundUrl` name them, and under their plain names. */
export async function mediaRoutes(app: FastifyInstance, { media: { assets } }: Pick<AppDeps, 'media'>): Promise<void> {
  markRoutes(app, 'public');
  hideRoutes(app);
  // A way out of the folder is no more there than a file that nobody made.
  app.setErrorHandler((error: FastifyError, request, reply) =>
    error.statusCode === 403 ? sendRouteNotFound(request, reply) : sendProblem(error, request, reply),
  );
  const versionedAsset = (request: FastifyRequest) =>
    assets.findVersioned((request.params as Record<string, string>)['*'] ?? ''); // of the one route below
  await app.register(fastifyStatic, {
    root: assets.folder,
    prefix: '/media/',
    index: false,
    cacheControl: false,
    setHeaders: (reply, _file, sent) => {
      const asset = versionedAsset(reply.request);
      const isOfVersion = asset !== undefined && isUnchanged(asset, sent);
      reply.headers({ ...mediaHeaders, 'cache-control': isOfVersion ? keptForEver : keptForNow });
    },
  });
  app.addHook('preHandler', async (request, reply) => {
    const asset = versionedAsset(request);
    if (!asset) return;
    // Kept for ever by whoever gets it: never another content, should somebody have changed the file under this process.
    if (!(await isThere(asset))) return sendRouteNotFound(request, reply);
    return reply.sendFile(asset.name);
  });
}

async function isThere(asset: Asset): Promise<boolean> {
  const found = await stat(asset.file).catch(() => null); // gone
  return found !== null && isUnchanged(asset, found);
}
