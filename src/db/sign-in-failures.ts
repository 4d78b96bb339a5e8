import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Db, nothing, sql } from './sql.ts';

export interface ThrottleKey {
  /** `account:…` or `address:…`; only its hash is stored. */
  name: string;
  /** So many failures cost nothing; each further one doubles the wait, from 1 s. */
  free: number;
  /** The longest wait. */
  maxSeconds: number;
}

const hashOf = (name: string) => sql.binary(createHash('sha256').update(name).digest());

/**
 * Counts an attempt before it is tried, so that a hundred at once are not a hundred free guesses. False while the key has to
 * wait. After a day without an attempt counting starts anew.
 */
export async function countAttempt(db: Db, { name, free, maxSeconds }: ThrottleKey): Promise<boolean> {
  const counted = sql.fragment`CASE WHEN f.last_failed_at < now() - interval '1 day' THEN 1 ELSE f.count + 1 END`;
  const { rowCount } = await db.query(sql.type(nothing)`
    INSERT INTO sign_in_failures AS f (key, count) VALUES (${hashOf(name)}, 1)
    ON CONFLICT (key) DO UPDATE SET count = ${counted}, last_failed_at = now(),
      blocked_until = CASE WHEN ${counted} >= ${free}::int
        THEN now() + least(${maxSeconds}::int, 2 ^ least(${counted} - ${free}::int, 20)) * interval '1 second' END
    WHERE f.blocked_until IS NULL OR f.blocked_until <= now()
  `);
  return rowCount === 1;
}

/** How long the key has to wait yet; null when it has not. */
export function findWaitSeconds(db: Db, name: string): Promise<number | null> {
  return db.maybeOneFirst(sql.type(z.object({ seconds: z.number() }))`
    SELECT extract(epoch FROM blocked_until - now())::float8 AS seconds FROM sign_in_failures
    WHERE key = ${hashOf(name)} AND blocked_until > now()
  `);
}

/** The key starts anew. */
export async function forgetFailures(db: Db, name: string): Promise<void> {
  await db.query(sql.type(nothing)`DELETE FROM sign_in_failures WHERE key = ${hashOf(name)}`);
}

/** The attempt that was counted was no failure. */
export async function takeBackAttempt(db: Db, name: string): Promise<void> {
  await db.query(sql.type(nothing)`
    UPDATE sign_in_failures SET count = greatest(0, count - 1), blocked_until = NULL WHERE key = ${hashOf(name)}
  `);
}

export async function deleteOldFailures(db: Db): Promise<void> {
  await db.query(sql.type(nothing)`DELETE FROM sign_in_failures WHERE last_failed_at < now() - interval '1 day'`);
}
