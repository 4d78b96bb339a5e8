import type { DatabasePool } from 'slonik';
import type { QueueStore } from '../../queues/backend.ts';
import { emailQueue } from '../../queues/email.ts';
import { type Email, findWhyEmailsWait, hasEmailsStopped, wentOutLately } from '../db/emails.ts';
import {
  clearServiceFault,
  listServiceFaults,
  lockServiceFault,
  noteQueueStarted,
  reportServiceFault,
  type ServiceFault,
} from '../db/service-faults.ts';
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

/** What the mail server says to a mail alone, such as of its sender. That it lets us in again does not mend these. */
const isOfSending = (code: string) => code === 'EENVELOPE' || code === 'EMESSAGE';

/** After a mail went out: what was said of one before it is over. `startedAt`: of its delivery. */
export async function noteMailWentOut(deps: MailFaultDeps, startedAt: Date): Promise<void> {
  const fault = await findMailFault(deps.pool);
  if (fault?.code === away || (fault && isOfSending(fault.code) && fault.seenAt < startedAt)) await endMailFault(deps);
}

/** The code of a server that takes nothing from anybody, be it away, silent or full: only the time says so. */
const away = 'away';
const awayAfterMs = 600_000;
/** After a long time away there are many new ones before those that go out first. */
const awayLooked = 50_000;

/** Nothing has gone out for so long although mails were tried: each is tried again, so the queue goes on, and somebody should know. */
export async function watchMailAway(deps: MailFaultDeps, afterMs = awayAfterMs): Promise<void> {
  const { pool, log } = deps;
  const known = await findMailFault(pool);
  if (known && known.code !== away) return; // a setting, which says more
  const why = await whyNothingGoesOut(pool, afterMs);
  if (!why) return;
  const message = `No mail has gone out for ${Math.round(afterMs / 60_000)} minutes. ${why}`;
  const isNew = await reportServiceFault(pool, { service: 'mail', code: away, message });
  if (isNew) log.error({ code: away, error: why }, 'no mail went out for long, tried again and again');
}

async function whyNothingGoesOut(pool: DatabasePool, forMs: number): Promise<string | null> {
  const why = await findWhyEmailsWait(pool, forMs);
  return why && !(await wentOutLately(pool, forMs, awayLooked)) ? why : null;
}

const latelyMs = 60_000;

/**
 * Whether it is about this mail, and not about our settings: servers refuse to pass on what is for one domain in the words of one that
 * lets us send nothing. It is, where others go out; otherwise one address could stop the mails of everybody.
 */
export async function isOfOneMail(
  pool: DatabasePool,
  email: Pick<Email, 'failureCode'>,
  code: string,
): Promise<boolean> {
  if (!isOfSending(code)) return false;
  if (await wentOutLately(pool, latelyMs)) return true;
  // It met this before, and the fault is over since.
  return email.failureCode !== null && ownFaults.includes(email.failureCode) && !(await findMailFault(pool));
}
const ownFaults = ['configuration', 'not_passed_on'];

/** Tries the settings without sending anything. `isFirst`: of this process, whose settings may be others than those before. */
export async function probeMail(deps: MailFaultDeps & { mailer: Mailer }, isFirst: boolean): Promise<void> {
  const { pool, mailer, log } = deps;
  const known = await findMailFault(pool);
  if (!isFirst && (!known || isTooEarly(known))) return;
  try {
    await mailer.verify();
  } catch (error) {
    if (!(error instanceof MailError)) throw error;
    if (error.kind === 'configuration') return pauseForMailFault(deps, error);
    // Away is not mended, and not a fault of the settings either: what is sent meanwhile is tried again.
    log.warn({ code: error.code, error: error.message }, 'mail server not reached');
    return;
  }
  if (!known) return; // what was met while we asked is not over for that
  // It lets us in, and may take nothing all the same: a mail that goes out ends it, or that none waits any more.
  if (known.code === away && (await findWhyEmailsWait(pool, 0))) return;
  if (isOfSending(known.code) && (await hasEmailsStopped(pool, 'configuration'))) await letMailsTry(deps, known);
  else await endMailFault(deps);
}

const longestPauseMs = 300_000;

/** The longer mails have been refused, the longer none is tried. */
function isTooEarly({ code, since, seenAt }: ServiceFault): boolean {
  if (!isOfSending(code)) return false;
  return Date.now() - seenAt.getTime() < Math.min(longestPauseMs, seenAt.getTime() - since.getTime());
}

/** Whether the fault is over, only a mail can tell: the queue goes on, and the fault stays until one went out. */
async function letMailsTry({ pool, store }: MailFaultDeps, known: ServiceFault): Promise<void> {
  await pool.transaction(async (transaction) => {
    const fault = await lockServiceFault(transaction, 'mail');
    if (!fault?.hasPaused || fault.seenAt > known.seenAt) return; // met once more while we asked
    await store.queue(emailQueue.name).resume();
    await noteQueueStarted(transaction, 'mail');
  });
}

async function findMailFault(pool: DatabasePool): Promise<ServiceFault | undefined> {
  return (await listServiceFaults(pool)).find(({ service }) => service === 'mail');
}
