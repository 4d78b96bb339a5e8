import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createMediaLibrary } from '../../operations/media-library.ts';
import { readAssets } from '../../storage/asset-index.ts';
import { sendRouteNotFound } from '../problem.ts';
import { mediaRoutes } from './media.ts';

let folder: string;
let app: FastifyInstance;
let versioned: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'assets-'));
  await writeFile(path.join(folder, 'tea.svg'), '<svg>tea</svg>');
  const media = createMediaLibrary({ assets: await readAssets(folder), storeUrl: null });
  versioned = media.urlOf('/media/tea.svg') ?? '';
  app = Fastify();
  app.setNotFoundHandler(sendRouteNotFound);
  await app.register(async (scope) => mediaRoutes(scope, { media }));
});
afterEach(async () => {
  await app.close();
  await rm(folder, { recursive: true });
});

const get = async (url: string) => {
  const { statusCode, headers, body } = await app.inject(url);
  return { status: statusCode, cache: headers['cache-control'], body };
};

it('never serves what was changed under it by the name of the old content', async () => {
  expect(await get(versioned)).toMatchObject({ status: 200, cache: expect.stringContaining('immutable') });
  await writeFile(path.join(folder, 'tea.svg'), '<svg>cup</svg>'); // as long as before
  const old = await get(versioned);
  expect(old.status).toBe(404);
  expect(old.cache ?? '').not.toContain('immutable');
  expect(await get('/media/tea.svg')).toEqual({ status: 200, cache: 'public, max-age=300', body: '<svg>cup</svg>' });
});

it('has no versions of what is gone, and plain names of what has come since it started', async () => {
  await rm(path.join(folder, 'tea.svg'));
  expect(await get(versioned)).toMatchObject({ status: 404 });
  await writeFile(path.join(folder, 'cake.svg'), '<svg>cake</svg>');
  expect(await get('/media/cake.svg')).toMatchObject({ status: 200, cache: 'public, max-age=300' });
});
