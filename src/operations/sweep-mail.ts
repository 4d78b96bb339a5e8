import type { DatabasePool } from 'slonik';
import type { QueueStore } from '../../queues/backend.ts';
import { emailQueue } from '../../queues/email.ts';
import { receiptQueue } from '../../queues/receipt.ts';
import { takeOverdueEmails } from '../db/emails.ts';
import { listMissingReceipts } from '../db/receipts.ts';
import type { Logger } from '../log.ts';
import { newsMaxAgeMs } from './new-emails.ts';
import { putBackJobs } from './put-back-jobs.ts';

export interface SweepMailDeps {
  pool: DatabasePool;
  store: QueueStore;
  log: Pick<Logger, 'warn'>;
}

const atOnce = 500;
/** What is due by a moment has a job that is on its way. */
const emailGraceMs = 5_000;

/** Messages whose job was lost: with its store, in a crash, or by hand. Returns how many were put back. */
export async function sweepEmails({ pool, store, log }: SweepMailDeps): Promise<number> {
  const overdue = await takeOverdueEmails(pool, { graceMs: emailGraceMs, limit: atOnce });
  const payloads = overdue.map((emailId) => ({ emailId }));
  // As long as its row says queued, a job that has ended has not done it.
  const emails = await putBackJobs(store, emailQueue, payloads, ['completed', 'failed']);
  if (emails > 0) log.warn({ emails }, 'emails without a job put back');
  return emails;
}

/** Captured payments that have no receipt after some time. One whose job has failed for good waits for somebody in Bull Board. */
export async function sweepReceipts(
  { pool, store, log }: SweepMailDeps,
  { settledMs = 180_000 }: { settledMs?: number } = {},
): Promise<number> {
  const missing = await listMissingReceipts(pool, { capturedAfterMs: newsMaxAgeMs, settledMs, limit: atOnce });
  const payloads = missing.map((paymentId) => ({ paymentId }));
  const receipts = await putBackJobs(store, receiptQueue, payloads, ['completed']);
  if (receipts > 0) log.warn({ receipts }, 'receipts without a job put back');
  return receipts;
}
