import type { FastifyInstance, FastifyReply } from 'fastify';
import { frameScript } from './frame-script.ts';
import type { CaughtMail, MailBox } from './mail-box.ts';
import { frameRights, listPage, mailPage, noMailPage } from './mail-pages.ts';
import { mailStyle } from './mail-style.ts';

export const mailPagePath = '/dev/mail';

interface MailParams {
  id: string;
}

/** The list comes anew by itself, and a mail is in a frame of its own. */
const pagePolicy =
  "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/** Of a page with such a frame: our one script makes it as high as the mail. */
const framingPolicy = `${pagePolicy}; script-src 'self'`;
/** What a mail brings along: no script, no form, nothing from elsewhere, also when somebody opens it outside of its frame. Its links open beside it. */
const framePolicy = `sandbox ${frameRights}; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'`;
/** What a browser shows without running anything; all else is saved. */
const shownTypes = ['application/pdf', 'image/png', 'image/jpeg', 'image/gif', 'image/webp'];

/** The mails for people, and as JSON for programs. */
export function mailPageRoutes(app: FastifyInstance, box: MailBox): void {
  app.removeContentTypeParser('application/x-www-form-urlencoded');
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_, __, done) => done(null));
  app.addHook('onSend', async (_, reply) => {
    reply.headers({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
  });
  app.setNotFoundHandler((_, reply) => sendPage(reply.status(404), noMailPage));

  app.get('/', (_, reply) => reply.redirect(mailPagePath));
  app.get(`${mailPagePath}/mail.css`, (_, reply) => reply.type('text/css; charset=utf-8').send(mailStyle));
  app.get(`${mailPagePath}/frame.js`, (_, reply) => reply.type('text/javascript; charset=utf-8').send(frameScript));
  app.get(mailPagePath, (_, reply) => sendPage(reply, listPage(box.mails().toReversed())));
  app.get(`${mailPagePath}/mails.json`, () => ({ mails: box.mails().toReversed().map(summaryOf) }));
  app.post(`${mailPagePath}/clear`, (request, reply) => {
    // only our own page's button; a page from elsewhere could send the form too
    if (request.headers['sec-fetch-site'] === 'cross-site') return reply.status(403).send();
    box.clear();
    return reply.redirect(mailPagePath, 303);
  });

  app.get<{ Params: MailParams; Querystring: { view?: string } }>(`${mailPagePath}/:id`, (request, reply) => {
    const mail = box.find(request.params.id);
    if (!mail) return reply.callNotFound();
    const { view } = request.query;
    const first = mail.html === null ? 'text' : 'html';
    const shown = view === 'text' || view === 'source' ? view : first;
    return sendPage(reply, mailPage(mail, shown), shown === 'html' ? framingPolicy : pagePolicy);
  });
  app.get<{ Params: MailParams }>(`${mailPagePath}/:id/html`, (request, reply) => {
    const html = box.find(request.params.id)?.html;
    if (html == null) return reply.callNotFound();
    return reply
      .header('content-security-policy', framePolicy)
      .type('text/html; charset=utf-8')
      .send(withLinksBeside(html));
  });
  app.get<{ Params: MailParams }>(`${mailPagePath}/:id/source.eml`, (request, reply) => {
    const mail = box.find(request.params.id);
    if (!mail) return reply.callNotFound();
    return reply
      .header('content-disposition', `attachment; filename="mail-${mail.id}.eml"`)
      .type('message/rfc822')
      .send(mail.source);
  });
  app.get<{ Params: MailParams & { index: string } }>(`${mailPagePath}/:id/attachments/:index`, (request, reply) => {
    const attachment = box.find(request.params.id)?.attachments[Number(request.params.index)];
    if (!attachment) return reply.callNotFound();
    const isShown = shownTypes.includes(attachment.contentType);
    const name = encodeURIComponent(attachment.fileName).replace(/['()*]/g, (character) => `%${hexOf(character)}`);
    return reply
      .header('content-disposition', `${isShown ? 'inline' : 'attachment'}; filename*=UTF-8''${name}`)
      .header('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
      .type(isShown ? attachment.contentType : 'application/octet-stream')
      .send(attachment.content);
  });
}

function sendPage(reply: FastifyReply, html: string, policy = pagePolicy) {
  return reply.header('content-security-policy', policy).type('text/html; charset=utf-8').send(html);
}

const summaryOf = ({ id, receivedAt, envelope, from, subject, kind, messageId, attachments }: CaughtMail) => ({
  id,
  receivedAt,
  to: envelope.to,
  from,
  subject,
  kind,
  messageId,
  attachments: attachments.map(({ fileName, contentType, content }) => ({
    fileName,
    contentType,
    bytes: content.length,
  })),
});

/** A frame that may not move its own page would lead nowhere. */
function withLinksBeside(html: string): string {
  const base = '<base target="_blank">';
  const withBase = html.replace(/<head(\s[^>]*)?>/i, (head) => head + base);
  return withBase === html ? base + html : withBase;
}

const hexOf = (character: string) => character.charCodeAt(0).toString(16).toUpperCase();
