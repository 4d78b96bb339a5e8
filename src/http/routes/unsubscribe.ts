import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { isOptedOut } from '../../db/email-opt-outs.ts';
import { LinkInvalidError } from '../../domain/errors.ts';
import { mailSettingsOf } from '../../operations/mail-settings.ts';
import { assertUnsubscribeLink, setNewsWanted } from '../../operations/unsubscribe.ts';
import type { AppDeps } from '../app-deps.ts';
import { hideRoutes } from '../openapi/hide-routes.ts';
import { statusOf } from '../problem.ts';
import { type NewsState, unsubscribePage } from '../unsubscribe-page.ts';

/** Not strict: mail programs and counters of visits add names of their own. */
const query = z.object({
  address: z.string().max(320).default(''),
  signature: z.string().max(100).default(''),
});

const pagePolicy =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const maxBodyBytes = 4_096;

/**
 * Where the reader of a mail ends the news of their orders. The link is signed, and whoever has it has the mail, so nobody signs in.
 * Looking changes nothing, since programs that look for bad links open them too; a POST does, from the page or by the mail program
 * itself (RFC 8058: `List-Unsubscribe=One-Click`).
 */
export async function unsubscribeRoutes(scope: FastifyInstance, { config, database, log }: AppDeps): Promise<void> {
  const settings = mailSettingsOf(config);
  hideRoutes(scope);
  scope.removeAllContentTypeParsers();
  // Mail programs send it as any kind of form; what it says matters only for the way back.
  scope.addContentTypeParser('*', { parseAs: 'string', bodyLimit: maxBodyBytes }, (_request, body, done) =>
    done(null, body),
  );
  const app = scope.withTypeProvider<ZodTypeProvider>();

  app.get(
    '/v1/mail/unsubscribe',
    { config: { access: 'public' }, schema: { querystring: query } },
    async ({ query: link }, reply) => {
      if (!isOurs(link)) return sendPage(reply, 'link invalid', '');
      return sendPage(reply, (await isOptedOut(database.pool, link.address)) ? 'stopped' : 'asked', link.address);
    },
  );

  app.post(
    '/v1/mail/unsubscribe',
    { bodyLimit: maxBodyBytes, config: { access: 'public' }, schema: { querystring: query } },
    async ({ query: link, body }, reply) => {
      if (!isOurs(link)) return sendPage(reply, 'link invalid', '');
      const isWanted = typeof body === 'string' && new URLSearchParams(body).get('action') === 'resume';
      await setNewsWanted(database.pool, link.address, isWanted);
      log.info({ isWanted }, 'news of orders set');
      return sendPage(reply, isWanted ? 'resumed' : 'stopped', link.address);
    },
  );

  function isOurs(link: { address: string; signature: string }): boolean {
    try {
      assertUnsubscribeLink(settings, link);
      return true;
    } catch (error) {
      if (error instanceof LinkInvalidError) return false;
      throw error;
    }
  }

  function sendPage(reply: FastifyReply, state: NewsState, address: string): FastifyReply {
    return reply
      .code(state === 'link invalid' ? statusOf.link_invalid : 200)
      .header('content-security-policy', pagePolicy)
      .header('referrer-policy', 'no-referrer')
      .type('text/html; charset=utf-8')
      .send(unsubscribePage(state, { address, shopName: settings.shop.name }));
  }
}
