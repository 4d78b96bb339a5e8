import { pino } from 'pino';

export type { Logger } from 'pino';

/** JSON lines on stdout. Bodies, tokens and personal data are never bound; the redaction is the second fence. */
export function createLog(level: string, role: string) {
  return pino({
    level,
    base: { role },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: {
      paths: ['password', 'authorization', '*.password', '*.authorization', 'req.headers', 'connectionString', '*.connectionString'],
      censor: '[redacted]',
    },
  });
}
