import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import Fastify from 'fastify';

export interface ScalarScript {
  plain: Buffer;
  gzipped: Buffer;
}

/**
 * The script of Scalar, 4 MB: read when somebody first asks for it, not at every start. The package gives it to nobody but a server
 * that it is registered with, so one that never listens asks for it.
 */
export async function readScalarScript(): Promise<ScalarScript> {
  const { default: scalar } = await import('@scalar/fastify-api-reference');
  const server = Fastify();
  await server.register(scalar, { routePrefix: '/docs', configuration: { url: '/openapi.json' } });
  const { rawPayload: plain, statusCode } = await server.inject('/docs/js/scalar.js');
  await server.close();
  if (statusCode !== 200) throw new Error(`Scalar gave no script: ${statusCode}`);
  return { plain, gzipped: await promisify(gzip)(plain) };
}
