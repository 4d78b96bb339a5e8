import Fastify from 'fastify';
import { type CaughtMail, MailBox } from './mail-box.ts';
import { MailFaults } from './mail-faults.ts';
import { mailPagePath, mailPageRoutes } from './mail-routes.ts';
import { openSmtpSide, type SmtpSideOptions } from './smtp-side.ts';

export interface MailSandboxOptions {
  /** 0, the default: any free one. */
  smtpPort?: number;
  /** Of the page; 0, the default: any free one. */
  httpPort?: number;
  host?: string;
  /** Where the mails outlive it, one file each. */
  folder?: string;
  /** How many mails it keeps: the newest 500. */
  keep?: number;
  security?: SmtpSideOptions['security'];
  /** What has to sign in; nobody has to, without. */
  login?: { username: string; password: string };
}

export interface MailSandbox {
  smtp: { host: string; port: number };
  /** The page for people. */
  url: string;
  /** The environment names that send an engine's mails here, in clear: it is on the same machine. */
  settings: Record<string, string>;
  /** In PEM form, of STARTTLS. */
  certificate: string;
  faults: MailFaults;
  /** What came, the oldest first. */
  mails(): readonly CaughtMail[];
  mailsTo(address: string): CaughtMail[];
  /** The first that fits, among those that came and those to come. Throws when none has come by then. */
  waitForMail(fits: (mail: CaughtMail) => boolean, timeoutMs?: number): Promise<CaughtMail>;
  clear(): void;
  /** As a server does that restarts: whoever is connected is so no more. */
  dropConnections(): void;
  close(): Promise<void>;
}

/** A mail server that delivers to nobody, and shows what it was given. */
export async function startMailSandbox(options: MailSandboxOptions = {}): Promise<MailSandbox> {
  const { host = '127.0.0.1', security = 'starttls', login = null } = options;
  const box = new MailBox(options);
  await box.load();
  const faults = new MailFaults();
  const smtp = await openSmtpSide({ host, port: options.smtpPort ?? 0, security, login }, box, faults);
  const app = Fastify({ forceCloseConnections: true });
  mailPageRoutes(app, box);
  const origin = await app.listen({ port: options.httpPort ?? 0, host }).catch(async (error: unknown) => {
    await smtp.close();
    throw error;
  });
  return {
    smtp: { host, port: smtp.port },
    url: origin + mailPagePath,
    settings: {
      SMTP_HOST: host,
      SMTP_PORT: String(smtp.port),
      SMTP_SECURITY: security === 'tls' ? 'tls' : 'none',
      SMTP_FROM: 'twolane <orders@twolane.test>',
      ...(login && { SMTP_USERNAME: login.username, SMTP_PASSWORD: login.password }),
    },
    certificate: smtp.certificate,
    faults,
    mails: () => box.mails(),
    mailsTo: (address) => box.mails().filter(({ envelope }) => envelope.to.includes(address)),
    waitForMail: (fits, timeoutMs = 10_000) => waitForMail(box, fits, timeoutMs),
    clear: () => box.clear(),
    dropConnections: () => smtp.dropAll(),
    close: async () => {
      await Promise.all([smtp.close(), app.close()]);
    },
  };
}

function waitForMail(box: MailBox, fits: (mail: CaughtMail) => boolean, timeoutMs: number): Promise<CaughtMail> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const found = box.mails().find(fits);
      if (found) end(() => resolve(found));
    };
    const end = (settle: () => void) => {
      clearTimeout(timer);
      stopListening();
      settle();
    };
    const timer = setTimeout(() => {
      const came = box.mails().map(({ envelope, subject }) => `${envelope.to.join(', ')}: ${subject}`);
      end(() => reject(new Error(`no such mail within ${timeoutMs} ms; what came: ${came.join('; ') || 'none'}`)));
    }, timeoutMs);
    const stopListening = box.onMail(look);
    look();
  });
}
