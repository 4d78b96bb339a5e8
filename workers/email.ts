import { setTimeout as delay } from 'node:timers/promises';
import type { QueueStore } from '../queues/backend.ts';
import { emailQueue } from '../queues/email.ts';
import { receiptQueue } from '../queues/receipt.ts';
import type { Logger } from '../src/log.ts';
import type { Mailer } from '../src/mail/mailer.ts';
import { endMailFault, probeMail, watchMailAway } from '../src/operations/mail-faults.ts';
import { makeReceipt, type ReceiptDeps } from '../src/operations/make-receipt.ts';
import { planEmails } from '../src/operations/plan-emails.ts';
import { sendEmail } from '../src/operations/send-email.ts';
import { sweepEmails, sweepReceipts } from '../src/operations/sweep-mail.ts';
import { StoreError } from '../src/storage/object-store.ts';
import { type JobOutcome, startJobWorker } from './job-worker.ts';
import { repeat } from './repeated.ts';

export interface EmailWorkersDeps extends ReceiptDeps {
  store: QueueStore;
  /** Closed with the workers. Null: mail is not set up; receipts are made all the same. */
  mailer: Mailer | null;
  /** As many as the mailer has connections. */
  sendsAtOnce: number;
  log: Logger;
  /** For tests, which do not wait so long. */
  pace?: { probeEveryMs?: number; retryFromMs?: number; awayAfterMs?: number };
}

const planEveryMs = 1_000;
const sweepEmailsEveryMs = 1_000;
const sweepReceiptsEveryMs = 60_000;
const probeEveryMs = 30_000;
const receiptsAtOnce = 2;
/** Another process sends it. If that dies, its lease ends and this job goes on. */
const takenMs = 2_000;
const filesAwayMs = 15_000;
/** A deploy is over within 5 s: what the mail server has not answered by then is let go, and sent again with the same Message-ID. */
const sendingMs = 3_000;
const lettingGoMs = 1_000;

/** What customers are told: what is due is found, receipts are made, and messages are sent. */
export function startEmailWorkers(deps: EmailWorkersDeps): { close(): Promise<void> } {
  const { mailer, store, log, files, pace = {} } = deps;
  const work = { store, log, judge: () => ({ isFinal: false, retryAfterMs: null }) };
  const rounds = [repeat({ log }, planEveryMs, 'emails not planned', () => planEmails(deps))];
  const workers = [startJobWorker(work, receiptQueue, receiptsAtOnce, ({ paymentId }) => receipt(deps, paymentId))];
  if (files)
    rounds.push(repeat({ log }, sweepReceiptsEveryMs, 'missing receipts not looked for', () => sweepReceipts(deps)));
  if (mailer) {
    const sendDeps = { ...deps, mailer, ...(pace.retryFromMs && { retryFromMs: pace.retryFromMs }) };
    workers.push(
      startJobWorker(work, emailQueue, deps.sendsAtOnce, async ({ emailId }): Promise<JobOutcome> => {
        const outcome = await sendEmail(sendDeps, emailId);
        if (outcome === 'ended') return 'done';
        return { again: 'later', inMs: outcome === 'taken' ? takenMs : outcome.laterMs };
      }),
    );
    rounds.push(repeat({ log }, sweepEmailsEveryMs, 'lost emails not looked for', () => sweepEmails(deps)));
    rounds.push(
      repeat({ log }, pace.probeEveryMs ?? probeEveryMs, 'mail not watched', () =>
        watchMailAway(deps, pace.awayAfterMs),
      ),
    );
    let isFirst = true;
    rounds.push(
      repeat({ log }, pace.probeEveryMs ?? probeEveryMs, 'mail settings not tried', async () => {
        await probeMail(sendDeps, isFirst);
        isFirst = false;
      }),
    );
  } else {
    rounds.push(repeat({ log }, probeEveryMs, 'mail fault not cleared', () => endMailFault(deps))); // nothing is sent: nothing can be wrong with it
  }
  return {
    async close() {
      const ended = Promise.all([...rounds, ...workers].map((one) => one.close()));
      await Promise.race([ended, delay(sendingMs, undefined, { ref: false })]);
      mailer?.close();
      await Promise.race([ended, delay(lettingGoMs, undefined, { ref: false })]);
    },
  };
}

/** Until the store works it waits, and is no failure of its own. */
async function receipt(deps: EmailWorkersDeps, paymentId: string): Promise<JobOutcome> {
  try {
    await makeReceipt(deps, paymentId);
    return 'done';
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return { again: 'later', inMs: Math.round(filesAwayMs * (0.5 + Math.random())) };
  }
}
