import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { type Actor, type Role, roleSchema } from '../domain/user.ts';
import { type Db, sql } from './sql.ts';

const actorRow = z.object({ userId: z.uuid(), email: z.string(), role: roleSchema });

export function findActorByEmail(db: Db, email: string): Promise<Actor | null> {
  return db.maybeOne(sql.type(actorRow)`
    SELECT id AS "userId", email, role FROM users WHERE lower(email) = lower(${email}) AND deleted_at IS NULL
  `);
}

/** Adds a user; one who exists (by e-mail, without case) is left alone. */
export async function insertUser(db: Db, user: { email: string; displayName: string; role: Role }): Promise<void> {
  await db.query(sql.unsafe`
    INSERT INTO users (id, email, display_name, role) VALUES (${uuidv7()}, ${user.email}, ${user.displayName}, ${user.role})
    ON CONFLICT (lower(email)) WHERE deleted_at IS NULL DO NOTHING
  `);
}
