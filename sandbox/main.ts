import closeWithGrace from 'close-with-grace';
import { pino } from 'pino';
import { startPaymentSandbox } from './payments/payment-sandbox.ts';
import { readSandboxSettings } from './payments/sandbox-settings.ts';

/** The stand-ins of the payment providers as a process of their own. */
const settings = readSandboxSettings(process.env);
const log = pino({
  level: process.env.LOG_LEVEL ?? 'info',
  base: { role: 'sandbox' },
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (label) => ({ level: label }) },
});
const sandbox = await startPaymentSandbox({ ...settings, log: (line, message) => log.info(line, message) });
log.info({ url: sandbox.url }, 'sandbox listening');
closeWithGrace({ delay: 5_000 }, async ({ err, signal }) => {
  if (err) log.error({ err }, 'sandbox failed');
  await sandbox.close();
  log.info({ signal }, 'sandbox closed');
});
