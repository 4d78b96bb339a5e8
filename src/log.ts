import { type LoggerOptions, pino } from 'pino';

export type { Logger } from 'pino';

/** JSON lines on stdout. Bodies, tokens and personal data are never bound; the redaction is the second fence. */
export function createLog(level: string, role: string) {
  const options: LoggerOptions = {
    level,
    base: { role },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: ['password', 'authorization', 'connectionString', 'req.headers'], censor: '[redacted]' },
  };
  // Not synchronous: a line never waits for whoever reads it. What is left is written at exit.
  return pino(options, pino.destination({ dest: 1, sync: false }));
}
