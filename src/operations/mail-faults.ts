import type { DatabasePool } from 'slonik';
import type { QueueStore } from '../../queues/backend.ts';
import { emailQueue } from '../../queues/email.ts';
import { clearServiceFault, listServiceFaults, lockServiceFault, reportServiceFault } from '../db/service-faults.ts';
import type { Logger } from '../log.ts';
import { MailError, type Mailer } from '../mail/mailer.ts';

export interface MailFaultDeps {
  pool: DatabasePool;
  store: QueueStore;
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

/**
 * No mail can be sent until somebody changes a setting: the queue stops, so that nothing is tried in vain and counted. It is one fault,
 * however many workers meet it. The fault is written before the queue is stopped, and it is stopped only while the fault is there: a
 * process that dies in between leaves no queue that nobody would start again.
 */
export async function pauseForMailFault({ pool, store, log }: MailFaultDeps, error: MailError): Promise<void> {
  const queue = store.queue(emailQueue.name);
  const wasPaused = await queue.isPaused(); // by us for this fault, which stays known, or by somebody in Bull Board
  const { code, message } = error;
  const isNew = await reportServiceFault(pool, { service: 'mail', code, message, hasPaused: !wasPaused });
  if (isNew) log.error({ code, error: message }, 'mail cannot be sent, queue paused until a setting is mended');
  if (wasPaused) return;
  await pool.transaction(async (transaction) => {
    const fault = await lockServiceFault(transaction, 'mail');
    if (fault?.hasPaused) await queue.pause(); // not if it was mended at this moment
  });
}

/** Starts the queue again, if it was us who stopped it. */
export async function endMailFault({ pool, store, log }: MailFaultDeps): Promise<void> {
  await pool.transaction(async (transaction) => {
    const fault = await lockServiceFault(transaction, 'mail');
    if (!fault) return;
    if (fault.hasPaused) await store.queue(emailQueue.name).resume();
    await clearServiceFault(transaction, 'mail');
    log.info({ code: fault.code, since: fault.since }, 'mail works again');
  });
}

/** Tries the settings without sending anything. `isFirst`: of this process, whose settings may be others than those before. */
export async function probeMail(deps: MailFaultDeps & { mailer: Mailer }, isFirst: boolean): Promise<void> {
  const { pool, mailer, log } = deps;
  if (!isFirst && !(await listServiceFaults(pool)).some(({ service }) => service === 'mail')) return;
  try {
    await mailer.verify();
  } catch (error) {
    if (!(error instanceof MailError)) throw error;
    if (error.kind === 'configuration') return pauseForMailFault(deps, error);
    // Away is not mended, and not a fault of the settings either: what is sent meanwhile is tried again.
    log.warn({ code: error.code, error: error.message }, 'mail server not reached');
    return;
  }
  await endMailFault(deps);
}
