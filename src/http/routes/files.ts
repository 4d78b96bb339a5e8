import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { LinkInvalidError, ServiceUnavailableError } from '../../domain/errors.ts';
import { addressOf } from '../../receipts/shop-format.ts';
import { assertFileLink, filesPath, storeNameOf } from '../../storage/file-link.ts';
import { attachmentHeader, nameOf } from '../../storage/file-name.ts';
import { type ObjectStore, StoreError } from '../../storage/object-store.ts';
import type { AppDeps } from '../app-deps.ts';
import { fileLinkPage } from '../file-link-page.ts';
import { hideRoutes } from '../openapi/hide-routes.ts';
import { sendRouteNotFound, statusOf } from '../problem.ts';

const query = z.object({
  expires: z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
  name: z.string().optional(),
  signature: z.string(),
});

/** Opened by a browser, nothing of it runs or is kept, and no other page reads it. */
const fileHeaders = {
  'content-security-policy': "default-src 'none'; sandbox",
  'x-content-type-options': 'nosniff',
  'cache-control': 'private, no-store',
  'x-robots-tag': 'noindex',
};

const pagePolicy =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Files of the local store, for whoever has an address that we signed. Those of a bucket are read there. */
export async function fileRoutes(scope: FastifyInstance, { files, config }: AppDeps): Promise<void> {
  hideRoutes(scope);
  const store = files?.kind === 'directory' ? files : null;

  scope.route<{ Params: { '*': string } }>({
    method: ['GET', 'HEAD'], // by itself, HEAD would read the whole file
    url: `${filesPath}*`,
    config: { access: 'public', cors: false, problems: ['link_invalid', 'service_unavailable'] },
    handler: async (request, reply) => {
      if (!store) return sendRouteNotFound(request, reply);
      const key = request.params['*'];
      void reply.header('vary', 'Accept');
      try {
        const fileName = assertLink(store, config.tokens?.secrets ?? [], key, request.query);
        return await sendFile(store, key, fileName, request, reply);
      } catch (error) {
        if (error instanceof LinkInvalidError && acceptsPage(request)) return sendLinkPage(reply, error);
        throw error;
      }
    },
  });

  /** A receipt's link stands in mails, and whoever opens it late does so in a browser. */
  function sendLinkPage(reply: FastifyReply, { reason }: LinkInvalidError): FastifyReply {
    const { name, email } = config.mail.shop;
    return reply
      .code(statusOf.link_invalid)
      .headers({ 'content-security-policy': pagePolicy, 'referrer-policy': 'no-referrer', 'cache-control': 'no-store' })
      .type('text/html; charset=utf-8')
      .send(fileLinkPage(reason, { shopName: name, shopEmail: email && addressOf(email) }));
  }
}

const acceptsPage = ({ headers: { accept } }: FastifyRequest) => /text\/html/i.test(accept ?? '');

/** The name it is saved under. */
function assertLink(store: ObjectStore, secrets: readonly string[], key: string, given: unknown): string | null {
  const read = query.safeParse(given);
  if (!read.success) throw new LinkInvalidError('wrong');
  const { expires: endsAt, name: fileName = null, signature } = read.data;
  assertFileLink(secrets, { store: storeNameOf(store.place), key, fileName, endsAt }, signature);
  return fileName;
}

async function sendFile(
  store: ObjectStore,
  key: string,
  fileName: string | null,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  try {
    const found = await store.head(key);
    if (!found) throw new StoreError('not_found', 'NotThere', key);
    const content = request.method === 'HEAD' ? null : await store.get(key);
    void reply.headers({
      ...fileHeaders,
      'content-type': key.endsWith('.pdf') ? 'application/pdf' : 'application/octet-stream',
      'content-disposition': attachmentHeader(fileName ?? nameOf(key)),
      'last-modified': found.changedAt.toUTCString(),
      ...(request.method === 'HEAD' && { 'content-length': found.bytes }),
    });
    return reply.send(content);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (error.kind === 'not_found') {
      await sendRouteNotFound(request, reply);
      return undefined;
    }
    throw new ServiceUnavailableError('The file', error);
  }
}
