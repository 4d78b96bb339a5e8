import { z } from 'zod';
import { type EmailKind, emailKindSchema } from '../domain/email.ts';
import { orderStatusSchema } from '../domain/order-status.ts';
import { type Db, int8, nothing, sql, time } from './sql.ts';

export interface NewEmail {
  id: string;
  kind: EmailKind;
  orderNumber: number;
  /** One message for one source, however often it is planned. */
  source: string;
  recipient: string;
  messageId: string;
  detail: Record<string, unknown> | null;
}

/** The job of a new message may be lost: then the sweep puts it back. */
const firstSweepAfter = sql.fragment`now() + interval '15 seconds'`;

/** Gives the ids of those that are new. Call `addToOutbox` with them in the same transaction. */
export async function insertEmails(transaction: Db, emails: readonly NewEmail[]): Promise<readonly string[]> {
  if (emails.length === 0) return [];
  return transaction.anyFirst(sql.type(z.object({ id: z.uuid() }))`
    INSERT INTO emails (id, kind, order_number, source, recipient, message_id, detail, next_try_at)
    SELECT id, kind, "orderNumber", source, recipient, "messageId", detail, ${firstSweepAfter}
    FROM jsonb_to_recordset(${sql.jsonb(emails as never)})
      AS input (id uuid, kind text, "orderNumber" bigint, source text, recipient text, "messageId" text, detail jsonb)
    ON CONFLICT (source) DO NOTHING RETURNING id
  `);
}

const emailRow = z
  .object({
    id: z.uuid(),
    kind: emailKindSchema,
    orderNumber: int8,
    /** As it is now. */
    orderStatus: orderStatusSchema,
    recipient: z.string(),
    messageId: z.string(),
    detail: z.record(z.string(), z.unknown()).nullable(),
    tries: z.number(),
    /** Why it did not go the last time. */
    failureCode: z.string().nullable(),
    createdAt: time,
    isClosed: z.boolean(),
    isOptedOut: z.boolean(),
  })
  .transform(({ createdAt, ...row }) => ({ ...row, createdAt: new Date(createdAt) }));
/** A message that is to be sent, with what has become of its reader since it was planned. */
export type Email = z.infer<typeof emailRow>;

// ── the lease: one process at a time hands a message to the mail server ──────────────────────────────────────────────

export function claimEmail(
  db: Db,
  emailId: string,
  lease: { id: string; ms: number },
): Promise<Email | 'taken' | 'ended'> {
  return db.transaction(async (transaction) => {
    const email = await transaction.maybeOne(sql.type(emailRow)`
      UPDATE emails e SET lease_id = ${lease.id}, lease_until = now() + ${lease.ms}::float8 * interval '1 millisecond'
      FROM orders o JOIN users u ON u.id = o.user_id
      WHERE e.id = ${emailId} AND o.number = e.order_number AND e.state = 'queued' AND (e.lease_until IS NULL OR e.lease_until < now())
      RETURNING e.id, e.kind, e.order_number AS "orderNumber", o.status AS "orderStatus", e.recipient, e.message_id AS "messageId", e.detail, e.tries,
        e.failure_code AS "failureCode", e.created_at AS "createdAt", u.deleted_at IS NOT NULL AS "isClosed",
        EXISTS (SELECT FROM email_opt_outs WHERE address = lower(e.recipient)) AS "isOptedOut"
    `);
    if (email) return email;
    const isQueued = await transaction.exists(
      sql.type(nothing)`SELECT FROM emails WHERE id = ${emailId} AND state = 'queued'`,
    );
    return isQueued ? 'taken' : 'ended';
  });
}

export async function renewEmailLease(db: Db, emailId: string, lease: { id: string; ms: number }): Promise<void> {
  await db.query(sql.type(nothing)`
    UPDATE emails SET lease_until = now() + ${lease.ms}::float8 * interval '1 millisecond' WHERE id = ${emailId} AND lease_id = ${lease.id}
  `);
}

// ── how it ended ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** What the mail server said; null when it was not heard, or not asked. */
export interface MailServerAnswer {
  code: number | null;
  response: string | null;
}

/** Whoever has the lease by now: what the server has taken is sent, and nobody shall send it again. */
export async function endEmailSent(db: Db, emailId: string, { code, response }: MailServerAnswer): Promise<void> {
  await db.query(sql.type(nothing)`
    UPDATE emails SET state = 'sent', tries = tries + 1, next_try_at = NULL, lease_id = NULL, lease_until = NULL, finished_at = now(),
      smtp_code = ${code}, smtp_response = ${response}, failure_code = NULL, failure_message = NULL
    WHERE id = ${emailId} AND state = 'queued'
  `);
}

export interface EmailFailure extends MailServerAnswer {
  failureCode: string;
  failureMessage: string;
}

/** `failed`: it was tried, and is given up. `suppressed`: its reader wants none, or is gone. False when somebody else has the lease. */
export async function endEmailUnsent(
  db: Db,
  emailId: string,
  leaseId: string,
  { state, code, response, failureCode, failureMessage }: EmailFailure & { state: 'failed' | 'suppressed' },
): Promise<boolean> {
  const { rowCount } = await db.query(sql.type(nothing)`
    UPDATE emails SET state = ${state}, tries = tries + ${state === 'failed' ? 1 : 0}::int, next_try_at = NULL, lease_id = NULL,
      lease_until = NULL, finished_at = now(), smtp_code = coalesce(${code}::int, smtp_code), smtp_response = coalesce(${response}, smtp_response),
      failure_code = ${failureCode}, failure_message = ${failureMessage}
    WHERE id = ${emailId} AND state = 'queued' AND lease_id = ${leaseId}
  `);
  return rowCount === 1;
}

/** It is tried again after this; by its job, or by the sweep where that is lost. `isTry`: it counts as one. */
export async function postponeEmail(
  db: Db,
  emailId: string,
  leaseId: string,
  { laterMs, isTry, code, response, failureCode, failureMessage }: EmailFailure & { laterMs: number; isTry: boolean },
): Promise<void> {
  await db.query(sql.type(nothing)`
    UPDATE emails SET next_try_at = now() + ${laterMs}::float8 * interval '1 millisecond', tries = tries + ${isTry ? 1 : 0}::int,
      lease_id = NULL, lease_until = NULL, smtp_code = ${code}, smtp_response = ${response}, failure_code = ${failureCode},
      failure_message = ${failureMessage}
    WHERE id = ${emailId} AND state = 'queued' AND lease_id = ${leaseId}
  `);
}

/** Messages that should have been tried by now, the longest overdue first; each is not looked at again for a minute. */
export function takeOverdueEmails(
  db: Db,
  { graceMs, limit }: { graceMs: number; limit: number },
): Promise<readonly string[]> {
  return db.anyFirst(sql.type(z.object({ id: z.uuid() }))`
    UPDATE emails SET next_try_at = now() + interval '1 minute'
    WHERE id IN (SELECT id FROM emails WHERE state = 'queued' AND next_try_at < now() - ${graceMs}::float8 * interval '1 millisecond'
                   AND (lease_until IS NULL OR lease_until < now())
                 ORDER BY next_try_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)
    RETURNING id
  `);
}

/** Whether the mail server took any within so long. Looked at are so many of the newest; their ids begin with the time. */
export function wentOutLately(db: Db, withinMs: number, latestLooked = 1_000): Promise<boolean> {
  return db.exists(sql.type(nothing)`
    SELECT FROM (SELECT state, finished_at FROM emails ORDER BY id DESC LIMIT ${latestLooked}) AS newest
    WHERE state = 'sent' AND finished_at > now() - ${withinMs}::float8 * interval '1 millisecond'
  `);
}

/** Whether any waits that a fault of the settings has kept from going. */
export function hasEmailsStopped(db: Db, failureCode: string): Promise<boolean> {
  return db.exists(sql.type(nothing)`SELECT FROM emails WHERE state = 'queued' AND failure_code = ${failureCode}`);
}

/**
 * Why those wait that were due so long ago and were tried in vain, by the newest of them; null when none does. What is said of one
 * recipient alone is no fault of the server: then it has answered, and nobody else waits.
 */
export function findWhyEmailsWait(db: Db, longerThanMs: number): Promise<string | null> {
  return db.maybeOneFirst(sql.type(z.object({ why: z.string() }))`
    SELECT (array_agg(failure_message ORDER BY id DESC))[1] AS why FROM emails
    WHERE state = 'queued' AND tries > 0 AND failure_code IN ('temporary', 'unheard', 'not_passed_on') AND failure_message IS NOT NULL
    HAVING min(created_at) < now() - ${longerThanMs}::float8 * interval '1 millisecond'
      AND (count(DISTINCT lower(recipient)) > 1 OR bool_or(smtp_code IS NULL OR smtp_code = 421))
  `);
}

// ── figures ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface EmailFigures {
  waiting: readonly { kind: EmailKind; count: number }[];
  oldestSeconds: number;
  /** Of those that wait, how many were tried before. */
  retrying: number;
  ended: readonly { kind: EmailKind; state: 'sent' | 'failed' | 'suppressed'; count: number }[];
  failures: readonly { code: string; count: number }[];
}

/** A busy day must not make the figures slow: beyond so many, the newest are counted. Their ids begin with the time. */
const countedAtMost = 50_000;

export async function readEmailFigures(db: Db): Promise<EmailFigures> {
  const newest = sql.fragment`(SELECT kind, state, failure_code FROM emails ORDER BY id DESC LIMIT ${countedAtMost}) AS newest`;
  const [waiting, queue, ended, failures] = await Promise.all([
    db.any(sql.type(z.object({ kind: emailKindSchema, count: int8 }))`
      SELECT kind, count(*) AS count FROM emails WHERE state = 'queued' GROUP BY kind
    `),
    db.one(sql.type(z.object({ oldestSeconds: z.number(), retrying: int8 }))`
      SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS "oldestSeconds", count(*) FILTER (WHERE tries > 0) AS retrying
      FROM emails WHERE state = 'queued'
    `),
    db.any(sql.type(z.object({ kind: emailKindSchema, state: z.enum(['sent', 'failed', 'suppressed']), count: int8 }))`
      SELECT kind, state, count(*) AS count FROM ${newest} WHERE state <> 'queued' GROUP BY kind, state
    `),
    db.any(sql.type(z.object({ code: z.string(), count: int8 }))`
      SELECT failure_code AS code, count(*) AS count FROM ${newest} WHERE state = 'failed' GROUP BY failure_code
    `),
  ]);
  return { waiting, ...queue, ended, failures };
}
