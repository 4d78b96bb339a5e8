import { readEmailFigures } from '../db/emails.ts';
import type { Database } from '../db/pool.ts';
import type { GaugeMaker } from './payment-metrics.ts';

/** What customers are told, and what of it cannot be sent. */
export function measureMail(gauge: GaugeMaker, { pool }: Database) {
  const waiting = gauge('emails_waiting', 'Emails that are to be sent', 'kind');
  const oldest = gauge('emails_oldest_seconds', 'How long the oldest of them waits');
  const retrying = gauge('emails_retrying', 'How many of them were tried before, in vain');
  const ended = gauge('emails_ended', 'How the latest emails ended, among the last 50,000', 'kind', 'state');
  const failures = gauge('emails_failed', 'Why those of them failed that did', 'reason');
  return {
    gauges: [waiting, oldest, retrying, ended, failures],
    async fill() {
      const figures = await readEmailFigures(pool);
      for (const { kind, count } of figures.waiting) waiting.set({ kind }, count);
      oldest.set(figures.oldestSeconds);
      retrying.set(figures.retrying);
      for (const { kind, state, count } of figures.ended) ended.set({ kind, state }, count);
      for (const { code, count } of figures.failures) failures.set({ reason: code }, count);
    },
  };
}
