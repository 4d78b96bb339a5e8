import type { SMTPPoolSentMessageInfo, Transporter } from 'nodemailer';
import type { SmtpSettings } from '../config-mail.ts';
import { judgeSmtpFailure, type SmtpFailure, withoutSecrets } from './judge-smtp-failure.ts';
import { MailError, type Mailer, type OutgoingMail } from './mailer.ts';
import { createPace } from './pace.ts';

export type SmtpTransport = Transporter<SMTPPoolSentMessageInfo>;

/** One addressee and nothing that has a meaning in a list, a header or a command. Whether it exists, the mail server says. */
const addressPattern = /^[^\s<>()[\]\\,;:"@\p{Cc}\p{Cf}]{1,64}@[^\s<>()[\]\\,;:"@\p{Cc}\p{Cf}]{1,190}$/u;
const messageIdPattern = /^<[\x21-\x3b\x3d\x3f-\x7e]{1,120}@[\x21-\x3b\x3d\x3f-\x7e]{1,120}>$/;

/** Of the steps of a delivery, each may take `timeoutMs`; a server that answers letter by letter is given up after so many of them. */
const stepsOfDelivery = 3;

/** How long `send` takes at most, apart from its wait for the pace. */
export function longestDeliveryMs({ timeoutMs }: Pick<SmtpSettings, 'timeoutMs'>): number {
  return timeoutMs * stepsOfDelivery;
}

/** Mail over SMTP: connections that are kept, at a pace, one recipient a mail. */
export function createSmtpMailer(transport: SmtpTransport, settings: SmtpSettings): Mailer {
  const handedOver = noteHandedOver(transport);
  const pace = createPace(settings.perSecond);
  const closing = new AbortController();
  const ourSecrets = secretsOf(settings);

  return {
    async send(mail) {
      checkMail(mail);
      const secrets = [...ourSecrets, mail.to];
      await pace(closing.signal).catch(() => {
        throw new MailError('temporary', 'ECLOSED', 'Sending failed: the mailer was closed');
      });
      try {
        const info = await transport.sendMail({
          ...messageOf(settings, mail),
          signal: AbortSignal.any([closing.signal, AbortSignal.timeout(longestDeliveryMs(settings))]),
        });
        if (info.accepted?.length !== 1) throw info.rejectedErrors?.[0] ?? new Error('the recipient was not accepted');
        return { code: Number.parseInt(info.response, 10) || 250, response: withoutSecrets(info.response, secrets) };
      } catch (error) {
        throw judgeSmtpFailure(asFailure(error), { isHandedOver: handedOver.has(mail.messageId), secrets });
      } finally {
        handedOver.delete(mail.messageId);
      }
    },
    async verify() {
      try {
        await Promise.race([transport.verify(), failAfter(longestDeliveryMs(settings))]);
      } catch (error) {
        throw judgeSmtpFailure(asFailure(error), { isHandedOver: false, secrets: ourSecrets });
      }
    },
    close() {
      closing.abort();
      transport.close();
    },
  };
}

function messageOf({ from, replyTo }: SmtpSettings, mail: OutgoingMail) {
  const { messageId, to, subject, text, html, attachments, unsubscribeUrl, kind } = mail;
  return {
    messageId,
    from: mailboxOf(from),
    to: { name: '', address: to }, // not a text that would be read as a list
    ...(replyTo !== null && { replyTo: mailboxOf(replyTo) }),
    subject,
    text,
    html,
    attachments: attachments.map(({ fileName, contentType, content }) => ({
      filename: fileName,
      contentType,
      content,
    })),
    headers: {
      'Auto-Submitted': 'auto-generated',
      ...(kind && { 'X-Twolane-Kind': kind }),
      ...(unsubscribeUrl !== null && { 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' }),
    },
    ...(unsubscribeUrl !== null && { list: { unsubscribe: unsubscribeUrl } }),
  };
}

/** As the settings have it, `The Shop <orders@shop.example>`. Nodemailer reads it as a header, where `Shop (Old Town)` is half a name. */
function mailboxOf(text: string): { name: string; address: string } {
  const [, name = '', address = text] = /^(.*\S)\s*<([^<>]+)>$/.exec(text) ?? [];
  return { name, address };
}

function checkMail({ to, messageId }: OutgoingMail): void {
  if (!addressPattern.test(to))
    throw new MailError('refused', 'EENVELOPE', 'Sending failed: the recipient is not one e-mail address');
  if (!messageIdPattern.test(messageId))
    throw new MailError('refused', 'EMESSAGE', 'Sending failed: the Message-ID is not of the form <…@…>');
}

/**
 * The Message-IDs of what has gone out to its end: until then a server cannot have taken a mail, from then on it may have. Nodemailer
 * tells of a connection that was lost, and not when.
 */
function noteHandedOver(transport: SmtpTransport): Set<string> {
  const handedOver = new Set<string>();
  transport.use('stream', ({ message, data }, done) => {
    if (!message) return done();
    const createReadStream = message.createReadStream.bind(message);
    message.createReadStream = (options) =>
      createReadStream(options).once('end', () => handedOver.add(data.messageId ?? ''));
    done();
  });
  return handedOver;
}

/** As they are typed, and as signing in writes them. */
function secretsOf({ login }: SmtpSettings): string[] {
  return login ? [login.password, `\0${login.username}\0${login.password}`] : [];
}

function failAfter(ms: number): Promise<never> {
  return new Promise((_, reject) => {
    const onLate = () => reject(new Error(`no answer within ${ms} ms`));
    AbortSignal.timeout(ms).addEventListener('abort', onLate, { once: true });
  });
}

function asFailure(error: unknown): SmtpFailure {
  return error instanceof Error ? error : { message: 'it is not known why' };
}
