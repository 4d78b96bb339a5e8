import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { type Actor, roleSchema } from '../domain/user.ts';
import { notify } from './notify.ts';
import { type Db, nothing, sql } from './sql.ts';

/** A used refresh token is still good for this long: its answer was lost, or two tabs used it at once. */
export const siblingWindowSeconds = 10;

const later = (milliseconds: number) => sql.fragment`now() + ${milliseconds}::float8 * interval '1 millisecond'`;

export async function insertSession(
  transaction: Db,
  { userId, network, lifetimeMs }: { userId: string; network: string; lifetimeMs: number },
): Promise<string> {
  const sessionId = uuidv7();
  await transaction.query(sql.type(nothing)`
    INSERT INTO sessions (id, user_id, network, expires_at) VALUES (${sessionId}, ${userId}, ${network}, ${later(lifetimeMs)})
  `);
  return sessionId;
}

/** Whether the account was signed in from there before, in the last month or so. */
export function hasSignedInFrom(db: Db, userId: string, network: string): Promise<boolean> {
  return db.oneFirst(sql.type(z.object({ has: z.boolean() }))`
    SELECT EXISTS (SELECT FROM sessions WHERE user_id = ${userId} AND network = ${network}) AS has
  `);
}

/** Wherever the account was signed in from, in the last month or so. */
export function listNetworks(db: Db, userId: string): Promise<readonly string[]> {
  return db.anyFirst(sql.type(z.object({ network: z.string() }))`
    SELECT DISTINCT network FROM sessions WHERE user_id = ${userId} AND network IS NOT NULL
  `);
}

/** Adds a refresh token to a session, which lives at least as long from now on. */
export async function insertRefreshToken(
  transaction: Db,
  token: { hash: Buffer; sessionId: string; lifetimeMs: number },
): Promise<void> {
  await transaction.query(sql.type(nothing)`
    INSERT INTO refresh_tokens (token_hash, session_id, expires_at)
    VALUES (${sql.binary(token.hash)}, ${token.sessionId}, ${later(token.lifetimeMs)})
  `);
  await transaction.query(sql.type(nothing)`
    UPDATE sessions SET expires_at = greatest(expires_at, ${later(token.lifetimeMs)}) WHERE id = ${token.sessionId}
  `);
}

const refreshRow = z.object({
  sessionId: z.uuid(),
  userId: z.uuid(),
  email: z.string(),
  isAlive: z.boolean(),
  isExpired: z.boolean(),
  isReused: z.boolean(),
});

/**
 * What a refresh token stands for; its session stays locked, so that two uses of one family come after each other. `isReused`:
 * its first use is longer ago than the sibling window.
 */
export function lockRefreshToken(transaction: Db, hash: Buffer): Promise<z.infer<typeof refreshRow> | null> {
  return transaction.maybeOne(sql.type(refreshRow)`
    SELECT session.id AS "sessionId", person.id AS "userId", person.email,
           session.ended_at IS NULL AND person.deleted_at IS NULL AS "isAlive",
           token.expires_at <= now() AS "isExpired",
           coalesce(token.first_used_at < now() - ${siblingWindowSeconds}::int * interval '1 second', false) AS "isReused"
    FROM refresh_tokens token
    JOIN sessions session ON session.id = token.session_id
    JOIN users person ON person.id = session.user_id
    WHERE token.token_hash = ${sql.binary(hash)}
    FOR UPDATE OF session, token
  `);
}

export async function markRefreshTokenUsed(transaction: Db, hash: Buffer): Promise<void> {
  await transaction.query(sql.type(nothing)`
    UPDATE refresh_tokens SET first_used_at = now() WHERE token_hash = ${sql.binary(hash)} AND first_used_at IS NULL
  `);
}

/** False when it had ended before. */
export async function endSession(
  transaction: Db,
  sessionId: string,
  reason: 'signed_out' | 'token_reused',
): Promise<boolean> {
  const { rowCount } = await transaction.query(sql.type(nothing)`
    UPDATE sessions SET ended_at = now(), end_reason = ${reason} WHERE id = ${sessionId} AND ended_at IS NULL
  `);
  return rowCount === 1;
}

/**
 * Ends the sessions of an account, all or all but one, and tells every web process; gives their ids. Call after the change that
 * ends them has locked the account: then no sign-in that knows only the former state can begin one more.
 */
export async function endSessionsOf(
  transaction: Db,
  userId: string,
  reason: 'password_changed' | 'account_closed',
  keptSessionId: string | null = null,
): Promise<readonly string[]> {
  // Also those that have just expired: a refresh that is under way may be giving one 30 more days.
  const ended = await transaction.anyFirst(sql.type(z.object({ id: z.uuid() }))`
    UPDATE sessions SET ended_at = now(), end_reason = ${reason}
    WHERE user_id = ${userId} AND ended_at IS NULL AND expires_at > now() - interval '1 day'
      AND id IS DISTINCT FROM ${keptSessionId}::uuid
    RETURNING id
  `);
  await announceSessions(transaction, ended);
  return ended;
}

/** As many ids as fit into one notice of Postgres (8,000 bytes). */
const idsAtOnce = 200;

/** Tells every web process that these sessions changed. */
export async function announceSessions(transaction: Db, sessionIds: readonly string[]): Promise<void> {
  for (let start = 0; start < sessionIds.length; start += idsAtOnce)
    await notify(transaction, 'twolane_sessions', sessionIds.slice(start, start + idsAtOnce).join());
}

export function listLiveSessions(db: Db, userId: string): Promise<readonly string[]> {
  return db.anyFirst(sql.type(z.object({ id: z.uuid() }))`
    SELECT id FROM sessions WHERE user_id = ${userId} AND ended_at IS NULL AND expires_at > now()
  `);
}

const sessionActorRow = z.object({ sessionId: z.uuid(), userId: z.uuid(), email: z.string(), role: roleSchema });

/** The accounts behind these sessions, as they are now; a session that ended, expired or lost its account is not among them. */
export async function findSessionActors(db: Db, sessionIds: readonly string[]): Promise<Map<string, Actor>> {
  const rows = await db.any(sql.type(sessionActorRow)`
    SELECT session.id AS "sessionId", person.id AS "userId", person.email, person.role
    FROM sessions session JOIN users person ON person.id = session.user_id
    WHERE session.id = ANY (${sql.array([...sessionIds], 'uuid')})
      AND session.ended_at IS NULL AND session.expires_at > now() AND person.deleted_at IS NULL
  `);
  return new Map(rows.map(({ sessionId, ...actor }) => [sessionId, actor]));
}

/** Forgets sessions that ended or expired more than 30 days ago, with their tokens. */
export async function deleteOldSessions(db: Db): Promise<void> {
  await db.query(sql.type(nothing)`
    DELETE FROM sessions WHERE expires_at < now() - interval '30 days' OR ended_at < now() - interval '30 days'
  `);
  await db.query(sql.type(nothing)`DELETE FROM refresh_tokens WHERE expires_at < now() - interval '1 day'`);
}
