import closeWithGrace from 'close-with-grace';
import { pino } from 'pino';
import { startMailSandbox } from './mail-sandbox.ts';
import { readMailSandboxSettings } from './mail-sandbox-settings.ts';

/** The stand-in of a mail server as a process of its own. */
const settings = readMailSandboxSettings(process.env);
const log = pino({
  level: process.env.LOG_LEVEL ?? 'info',
  base: { role: 'mail' },
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (label) => ({ level: label }) },
});
const sandbox = await startMailSandbox(settings);
log.info({ url: sandbox.url, smtpPort: sandbox.smtp.port }, 'mail sandbox listening');
closeWithGrace({ delay: 5_000 }, async ({ err, signal }) => {
  if (err) log.error({ err }, 'mail sandbox failed');
  await sandbox.close();
  log.info({ signal }, 'mail sandbox closed');
});
