import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { type Role, roleSchema, type User } from '../domain/user.ts';
import { type Db, nothing, sql, time } from './sql.ts';

const userRow = z
  .object({ id: z.uuid(), email: z.string(), displayName: z.string(), role: roleSchema, created_at: time })
  .transform(({ created_at, ...row }): User => ({ ...row, createdAt: new Date(created_at).toISOString() }));

const userColumns = sql.fragment`id, email, display_name AS "displayName", role, created_at`;

export interface NewUser {
  email: string;
  displayName: string;
  role: Role;
  /** Null: an account that cannot sign in. */
  passwordHash: string | null;
}

/** Null when the e-mail is taken, compared without case. */
export function insertUser(db: Db, { email, displayName, role, passwordHash }: NewUser): Promise<User | null> {
  return db.maybeOne(sql.type(userRow)`
    INSERT INTO users (id, email, display_name, role, password_hash)
    VALUES (${uuidv7()}, ${email}, ${displayName}, ${role}, ${passwordHash})
    ON CONFLICT (lower(email)) WHERE deleted_at IS NULL DO NOTHING
    RETURNING ${userColumns}
  `);
}

export function findUser(db: Db, userId: string): Promise<User | null> {
  return db.maybeOne(sql.type(userRow)`
    SELECT ${userColumns} FROM users WHERE id = ${userId} AND deleted_at IS NULL
  `);
}

const credentialsRow = z.object({ userId: z.uuid(), passwordHash: z.string().nullable() });

export function findCredentials(db: Db, email: string): Promise<z.infer<typeof credentialsRow> | null> {
  return db.maybeOne(sql.type(credentialsRow)`
    SELECT id AS "userId", password_hash AS "passwordHash" FROM users WHERE lower(email) = lower(${email}) AND deleted_at IS NULL
  `);
}

export function findPasswordHash(db: Db, userId: string): Promise<string | null> {
  return db.maybeOneFirst(sql.type(z.object({ passwordHash: z.string().nullable() }))`
    SELECT password_hash AS "passwordHash" FROM users WHERE id = ${userId} AND deleted_at IS NULL
  `);
}

/**
 * Keeps the password of an account as it is until the transaction ends. False when it is another one by now, or the account is
 * closed: what was found out with the former one holds no more.
 */
export async function holdPassword(transaction: Db, userId: string, passwordHash: string | null): Promise<boolean> {
  const { rowCount } = await transaction.query(sql.type(nothing)`
    SELECT FROM users WHERE id = ${userId} AND password_hash = ${passwordHash} AND deleted_at IS NULL FOR SHARE
  `);
  return rowCount === 1;
}

export interface UserQuery {
  role?: Role | undefined;
  /** A part of the e-mail or the name, without case. */
  q?: string | undefined;
  afterId?: string | undefined;
  limit: number;
}

/** Oldest account first. */
export function listUsers(db: Db, { role, q, afterId, limit }: UserQuery): Promise<readonly User[]> {
  const pattern = q === undefined ? null : `%${q.replaceAll(/[\\%_]/g, '\\$&')}%`;
  return db.any(sql.type(userRow)`
    SELECT ${userColumns} FROM users
    WHERE deleted_at IS NULL
      AND (${role ?? null}::text IS NULL OR role = ${role ?? null})
      AND (${pattern}::text IS NULL OR email ILIKE ${pattern} OR display_name ILIKE ${pattern})
      AND (${afterId ?? null}::uuid IS NULL OR id > ${afterId ?? null}::uuid)
    ORDER BY id LIMIT ${limit}
  `);
}

/** Locks every manager, so that two who demote each other do it one after the other. Call before locking any other account. */
export function lockManagers(transaction: Db): Promise<readonly string[]> {
  return transaction.anyFirst(sql.type(z.object({ id: z.uuid() }))`
    SELECT id FROM users WHERE role = 'MANAGER' AND deleted_at IS NULL ORDER BY id FOR UPDATE
  `);
}

export function lockUser(transaction: Db, userId: string): Promise<User | null> {
  return transaction.maybeOne(sql.type(userRow)`
    SELECT ${userColumns} FROM users WHERE id = ${userId} AND deleted_at IS NULL FOR UPDATE
  `);
}

/** With a `former` one, only in its place. False when the account has another one by now, or is closed. */
export async function updatePassword(
  transaction: Db,
  userId: string,
  { passwordHash, former = null }: { passwordHash: string; former?: string | null },
): Promise<boolean> {
  const { rowCount } = await transaction.query(sql.type(nothing)`
    UPDATE users SET password_hash = ${passwordHash}, updated_at = now()
    WHERE id = ${userId} AND deleted_at IS NULL AND (${former}::text IS NULL OR password_hash = ${former})
  `);
  return rowCount === 1;
}

/** Its orders stay, and with them its row; its e-mail is free again. */
export async function closeUser(transaction: Db, userId: string): Promise<void> {
  await transaction.query(sql.type(nothing)`
    UPDATE users SET deleted_at = now(), password_hash = NULL, updated_at = now() WHERE id = ${userId}
  `);
}

export async function updateRole(transaction: Db, userId: string, role: Role): Promise<void> {
  await transaction.query(sql.type(nothing)`
    UPDATE users SET role = ${role}, updated_at = now() WHERE id = ${userId}
  `);
  // An account that is no robot any more has none; the relay gives back the order in its hands within a second.
  await transaction.query(sql.type(nothing)`
    UPDATE bots SET deleted_at = now(), updated_at = now() WHERE user_id = ${userId} AND deleted_at IS NULL AND ${role} <> 'BOT'
  `);
}

/** Whether somebody can sign in under one of these e-mails, and with which password hashes. */
export function listPasswordHashes(db: Db, emails: readonly string[]): Promise<readonly string[]> {
  return db.anyFirst(sql.type(z.object({ passwordHash: z.string() }))`
    SELECT password_hash AS "passwordHash" FROM users
    WHERE lower(email) = ANY (${sql.array([...emails], 'text')}) AND deleted_at IS NULL AND password_hash IS NOT NULL
  `);
}
