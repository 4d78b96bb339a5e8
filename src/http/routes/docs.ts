import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { AppDeps } from '../app-deps.ts';
import { documentOf } from '../openapi/document.ts';
import { readScalarScript, type ScalarScript } from '../openapi/scalar-script.ts';

/** Everything from here. Styles alone may stand in the page: Scalar and its editor write them there as they go. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const readAsset = (name: string) => readFile(new URL(`../openapi/${name}`, import.meta.url));
const etagOf = (bytes: Buffer) => `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;

/** The document of the API, and a page that shows it and tries it out. */
export async function docsRoutes(app: FastifyInstance, { config }: AppDeps): Promise<void> {
  const [page, style, start] = await Promise.all(['docs.html', 'docs.css', 'docs-start.js'].map(readAsset));

  let json: { bytes: Buffer; etag: string } | undefined;
  app.get(
    '/openapi.json',
    {
      config: { access: 'public', answers: { 200: 'This document.', 304: 'It is still the one of `If-None-Match`.' } },
      schema: {
        operationId: 'getDocument',
        tags: ['Service'],
        summary: 'The document of this API',
        response: { 200: z.record(z.string(), z.unknown()) },
      },
    },
    async (request, reply) => {
      if (!json) {
        const bytes = Buffer.from(JSON.stringify(documentOf(app, { isDemo: config.env === 'development' })));
        json = { bytes, etag: etagOf(bytes) };
      }
      return sendAsset(request, reply, 'application/json; charset=utf-8', json.bytes, json.etag);
    },
  );

  const hidden = { config: { access: 'public' }, schema: { hide: true } } as const;
  app.get('/docs', hidden, async (_request, reply) =>
    reply
      .headers({
        'content-security-policy': contentSecurityPolicy,
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-cache',
      })
      .type('text/html; charset=utf-8')
      .send(page),
  );
  for (const [name, type, bytes = Buffer.of()] of [
    ['docs.css', 'text/css; charset=utf-8', style],
    ['docs-start.js', 'text/javascript; charset=utf-8', start],
  ] as const) {
    const etag = etagOf(bytes);
    app.get(`/docs/${name}`, hidden, async (request, reply) => sendAsset(request, reply, type, bytes, etag));
  }

  let script: Promise<ScalarScript & { etag: string }> | undefined;
  app.get('/docs/scalar.js', hidden, async (request, reply) => {
    script ??= readScalarScript()
      .then((read) => ({ ...read, etag: etagOf(read.plain) }))
      .catch((error: unknown) => {
        script = undefined; // the next one who asks tries again
        throw error;
      });
    const { plain, gzipped, etag } = await script;
    void reply.header('vary', 'accept-encoding');
    const isGzip = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
    if (isGzip) void reply.header('content-encoding', 'gzip');
    return sendAsset(request, reply, 'text/javascript; charset=utf-8', isGzip ? gzipped : plain, etag);
  });
}

/** `no-cache` asks each time and gets a 304: a new version is seen at once. */
function sendAsset(request: FastifyRequest, reply: FastifyReply, type: string, bytes: Buffer, etag: string) {
  void reply.headers({ etag, 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' });
  if (request.headers['if-none-match'] === etag) {
    void reply.removeHeader('content-encoding');
    return reply.code(304).send();
  }
  return reply.type(type).send(bytes);
}
