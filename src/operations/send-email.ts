import { randomUUID } from 'node:crypto';
import type { QueueStore } from '../../queues/backend.ts';
import {
  claimEmail,
  type Email,
  type EmailFailure,
  endEmailSent,
  endEmailUnsent,
  postponeEmail,
  renewEmailLease,
} from '../db/emails.ts';
import { newsKinds } from '../domain/email.ts';
import type { Logger } from '../log.ts';
import { MailError, type Mailer, type OutgoingMail } from '../mail/mailer.ts';
import { StoreError } from '../storage/object-store.ts';
import { composeEmail } from './compose-email.ts';
import { isOfOneMail, noteMailWentOut, pauseForMailFault } from './mail-faults.ts';
import type { ReceiptDeps } from './make-receipt.ts';

export interface SendEmailDeps extends ReceiptDeps {
  store: QueueStore;
  mailer: Mailer;
  log: Logger;
  /** The pause after the first failure, which doubles with each; 5 s when left out. */
  retryFromMs?: number;
}

/** `ended`: it is sent, or never will be. `taken`: another process is at it. Otherwise it is to be tried again after so long. */
export type SendOutcome = 'ended' | 'taken' | { laterMs: number };

/** If the process dies, another one takes the message up so much later. */
const leaseMs = 8_000;
const renewEveryMs = 2_500;
const longestRetryMs = 900_000;
/** Until the settings are mended the queue is stopped, so this is for a job that was already under way. */
const afterFaultMs = 1_000;
const filesAwayMs = 30_000;

/**
 * Sends one message, and writes down how that ended.
 *
 * 1. One process at a time has the lease of a message, and renews it for as long as the mail server takes.
 * 2. The message is written from what is known now; a reader who is gone, or wants no news, is told nothing, and neither is what
 *    later news have overtaken.
 * 3. What the server has taken is sent. Refused for good: failed, with the server's reason. Later, or no answer heard: tried again
 *    after a pause that grows, with the same Message-ID, until it is given up.
 * 4. A fault of our settings is nobody's try: the queue stops until it is mended (`pauseForMailFault`). Where other mails go out, it
 *    is no fault of the settings (`isOfOneMail`).
 *
 * Between the server's answer and our commit a crash can make it twice: the Message-ID says that it is the same.
 */
export async function sendEmail(deps: SendEmailDeps, emailId: string): Promise<SendOutcome> {
  const lease = { id: randomUUID(), ms: leaseMs };
  const email = await claimEmail(deps.pool, emailId, lease);
  if (email === 'taken' || email === 'ended') return email;
  const unwanted = whyUnwanted(email);
  if (unwanted) {
    await endEmailUnsent(deps.pool, emailId, lease.id, { state: 'suppressed', ...unheard, ...unwanted });
    return 'ended';
  }
  let mail: OutgoingMail;
  try {
    mail = await composeEmail(deps, email);
  } catch (error) {
    return postponeUnwritten(deps, email, lease.id, error as Error);
  }
  const renewal = setInterval(() => {
    renewEmailLease(deps.pool, emailId, lease).catch((error: Error) =>
      deps.log.warn({ emailId, error: error.message }, 'lease of an email not renewed'),
    );
  }, renewEveryMs);
  const startedAt = new Date();
  try {
    const answer = await deps.mailer.send(mail);
    await endEmailSent(deps.pool, emailId, { code: answer.code, response: short(answer.response) });
    await noteMailWentOut(deps, startedAt);
    deps.log.info({ emailId, kind: email.kind, orderNumber: email.orderNumber }, 'email sent');
    return 'ended';
  } catch (error) {
    if (!(error instanceof MailError)) throw error;
    return await heed(deps, email, lease.id, error);
  } finally {
    clearInterval(renewal);
  }
}

const unheard = { code: null, response: null };

/** A confirmation that is as late as this may come after the news of what has become of the order. */
const lateMs = 60_000;

function whyUnwanted(email: Email): { failureCode: string; failureMessage: string } | null {
  const { kind, isClosed, isOptedOut, orderStatus, tries, createdAt } = email;
  if (isClosed) return { failureCode: 'account_closed', failureMessage: 'The account was closed.' };
  if (isOptedOut && newsKinds.includes(kind))
    return { failureCode: 'opted_out', failureMessage: 'The address wants no news of orders.' };
  const isLate = tries > 0 || Date.now() - createdAt.getTime() > lateMs;
  if (kind === 'order_confirmed' && isLate && (orderStatus === 'complete' || orderStatus === 'cancelled'))
    return { failureCode: 'overtaken', failureMessage: `The order was ${orderStatus} before this could go out.` };
  return null;
}

async function heed(deps: SendEmailDeps, email: Email, leaseId: string, error: MailError): Promise<SendOutcome> {
  const line = { emailId: email.id, kind: email.kind, orderNumber: email.orderNumber, code: error.code };
  const failure: EmailFailure = {
    code: error.smtpCode,
    response: error.smtpCode === null ? null : short(error.message),
    failureCode: error.kind,
    failureMessage: short(error.message),
  };
  switch (error.kind) {
    case 'configuration':
      if (await isOfOneMail(deps.pool, email, error.code))
        return tryLater(deps, email, leaseId, { ...failure, failureCode: 'not_passed_on' });
      await postponeEmail(deps.pool, email.id, leaseId, { ...failure, laterMs: afterFaultMs, isTry: false });
      await pauseForMailFault(deps, error);
      return { laterMs: afterFaultMs };
    case 'refused':
      await endEmailUnsent(deps.pool, email.id, leaseId, { state: 'failed', ...failure });
      deps.log.warn({ ...line, smtpCode: error.smtpCode }, 'email refused');
      return 'ended';
    case 'temporary':
    case 'unheard':
      return tryLater(deps, email, leaseId, failure);
  }
}

/** Its order or its file could not be read, or its words are at fault. */
async function postponeUnwritten(
  deps: SendEmailDeps,
  email: Email,
  leaseId: string,
  error: Error,
): Promise<SendOutcome> {
  const failure = { ...unheard, failureCode: 'not_written', failureMessage: short(error.message) };
  if (error instanceof StoreError) {
    const laterMs = jittered(filesAwayMs);
    await postponeEmail(deps.pool, email.id, leaseId, { ...failure, laterMs, isTry: false });
    return { laterMs };
  }
  deps.log.error(
    { emailId: email.id, kind: email.kind, orderNumber: email.orderNumber, err: error },
    'email not written',
  );
  return tryLater(deps, email, leaseId, failure);
}

async function tryLater(
  { pool, settings, log, retryFromMs = 5_000 }: SendEmailDeps,
  email: Email,
  leaseId: string,
  failure: EmailFailure,
): Promise<SendOutcome> {
  const line = { emailId: email.id, kind: email.kind, orderNumber: email.orderNumber, tries: email.tries + 1 };
  if (Date.now() - email.createdAt.getTime() >= settings.giveUpAfterMs) {
    const failureMessage = short(`Given up after ${email.tries + 1} tries. ${failure.failureMessage}`);
    await endEmailUnsent(pool, email.id, leaseId, {
      state: 'failed',
      ...failure,
      failureCode: 'gave_up',
      failureMessage,
    });
    log.warn(line, 'email given up');
    return 'ended';
  }
  const laterMs = jittered(Math.min(longestRetryMs, retryFromMs * 2 ** Math.min(email.tries, 20)));
  await postponeEmail(pool, email.id, leaseId, { ...failure, laterMs, isTry: true });
  const level = email.tries === 0 ? 'warn' : 'info'; // it may take days, and is said once
  log[level](
    { ...line, failure: failure.failureCode, error: failure.failureMessage, laterMs },
    'email not sent, tried again later',
  );
  return { laterMs };
}

/** So that those who were refused together do not come back together. */
const jittered = (ms: number) => Math.round(ms * (0.5 + Math.random() / 2));

/** As it is shown and kept. */
const short = (text: string) => text.replaceAll(/\s+/g, ' ').slice(0, 300);
