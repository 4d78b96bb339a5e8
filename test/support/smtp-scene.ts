import { inspect } from 'node:util';
import { type MailSandbox, type MailSandboxOptions, startMailSandbox } from '../../sandbox/mail/mail-sandbox.ts';
import type { SmtpSettings } from '../../src/config-mail.ts';
import { MailError, type Mailer, type OutgoingMail } from '../../src/mail/mailer.ts';
import { openMailer } from '../../src/mail/open-mailer.ts';

/** A mailer of ours before a mail server: what it opened is closed by `closeScene`, after each test. */
const opened: { close(): unknown }[] = [];

export async function closeScene(): Promise<void> {
  for (const each of opened.splice(0).toReversed()) await each.close();
}

export async function openSandbox(options: MailSandboxOptions = {}): Promise<MailSandbox> {
  const sandbox = await startMailSandbox(options);
  opened.push(sandbox);
  return sandbox;
}

export function mailerAt(sandbox: Pick<MailSandbox, 'smtp'>, settings: Partial<SmtpSettings> = {}): Mailer {
  const mailer = openMailer({
    ...sandbox.smtp,
    login: null,
    from: 'The Shop <orders@shop.test>',
    replyTo: null,
    security: 'none',
    timeoutMs: 5_000,
    connections: 3,
    perSecond: 0,
    dkim: null,
    ...settings,
  });
  opened.push(mailer);
  return mailer;
}

let mailNumber = 0;

export function mailTo(to: string, changes: Partial<OutgoingMail> = {}): OutgoingMail {
  return {
    messageId: `<mail-${++mailNumber}@shop.test>`,
    to,
    subject: 'Order 1042',
    text: 'Thank you.',
    html: '<p>Thank you.</p>',
    attachments: [],
    unsubscribeUrl: null,
    ...changes,
  };
}

/** What became of a mail that was not to go well. */
export async function mailErrorOf(promise: Promise<unknown>): Promise<MailError> {
  const error = await promise.then(
    (answer) => new Error(`it went well: ${inspect(answer)}`),
    (reason: unknown) => reason,
  );
  if (error instanceof MailError) return error;
  throw error;
}
