import path from 'node:path';
import { findFreePort } from '../../sandbox/free-port.ts';
import type { DemoEnvironment } from './environment.ts';
import type { SandboxPlan } from './payment-sandbox.ts';

/** So far beyond the port of web they are looked for first, so that a page that is open stays where it is over a restart. */
const portDistances = { smtp: 11, page: 12 };
const pagePath = '/dev/mail';

/** A mail server that delivers to nobody and shows what it was given. Null where the environment names a real one. */
export async function planMailSandbox(demo: DemoEnvironment, dataFolder: string): Promise<SandboxPlan | null> {
  if (demo.variables.SMTP_HOST) return null;
  const smtpPort = await portNear(demo.port + portDistances.smtp);
  const pagePort = await portNear(demo.port + portDistances.page, smtpPort);
  const url = `http://127.0.0.1:${pagePort}${pagePath}`;
  return {
    url,
    line: { name: 'mail', command: 'node sandbox/mail/main.ts' },
    variables: {
      ...demo.variables,
      MAIL_SANDBOX_SMTP_PORT: String(smtpPort),
      MAIL_SANDBOX_PAGE_PORT: String(pagePort),
      MAIL_SANDBOX_FOLDER: path.join(dataFolder, 'mail'),
    },
    settings: {
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: String(smtpPort),
      SMTP_SECURITY: 'none',
      SMTP_FROM: 'twolane <orders@twolane.test>',
      SMTP_PER_SECOND: demo.variables.SMTP_PER_SECOND || '0',
      DEV_MAIL_URL: url,
    },
  };
}

async function portNear(near: number, taken?: number): Promise<number> {
  const port = await findFreePort(near > 65_535 ? 0 : near);
  return port === taken ? findFreePort(0) : port;
}
