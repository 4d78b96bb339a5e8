import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { type Actor, roleSchema } from '../domain/user.ts';
import { type Db, nothing, sql } from './sql.ts';

/** A used refresh token is still good for this long: its answer was lost, or two tabs used it at once. */
export const siblingWindowSeconds = 10;

const later = (milliseconds: number) => sql.fragment`now() + ${milliseconds}::float8 * interval '1 millisecond'`;

export async function insertSession(transaction: Db, userId: string, lifetimeMs: number): Promise<string> {
  const sessionId = uuidv7();
  await transaction.query(sql.type(nothing)`
    INSERT INTO sessions (id, user_id, expires_at) VALUES (${sessionId}, ${userId}, ${later(lifetimeMs)})
  `);
  return sessionId;
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
