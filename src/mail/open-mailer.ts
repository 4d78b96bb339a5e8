import { createTransport, type SMTPPoolOptions } from 'nodemailer';
import type { SmtpSettings } from '../config-mail.ts';
import type { Mailer } from './mailer.ts';
import { createSmtpMailer } from './smtp-mailer.ts';

/** RFC 8058 wants both of List-Unsubscribe signed; nodemailer's own list has one of them. */
const signedHeaders =
  'From:Reply-To:Subject:Date:Message-ID:To:MIME-Version:Content-Type:Content-Transfer-Encoding:List-Unsubscribe:List-Unsubscribe-Post:Auto-Submitted';

/** Connects when there is something to send. */
export function openMailer(smtp: SmtpSettings): Mailer {
  return createSmtpMailer(createTransport(poolOptions(smtp)), smtp);
}

function poolOptions({ host, port, login, security, timeoutMs, connections, dkim }: SmtpSettings) {
  return {
    pool: true,
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none', // or a certificate that nobody trusts would matter where none is asked for
    ...(login && { auth: { user: login.username, pass: login.password } }),
    maxConnections: connections,
    maxRequeues: 1, // of one whose kept connection was dead before anything was sent
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    socketCloseTimeout: 1_000,
    idleTimeout: 60_000,
    disableFileAccess: true,
    disableUrlAccess: true,
    logger: false,
    ...(dkim && {
      dkim: {
        domainName: dkim.domain,
        keySelector: dkim.selector,
        privateKey: dkim.privateKey,
        headerFieldNames: signedHeaders,
      },
    }),
  } satisfies SMTPPoolOptions;
}
