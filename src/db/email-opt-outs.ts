import { type Db, nothing, sql } from './sql.ts';

/** Addresses are compared without case. */
export async function insertOptOut(db: Db, address: string): Promise<void> {
  await db.query(sql.type(nothing)`
    INSERT INTO email_opt_outs (address) VALUES (lower(${address})) ON CONFLICT (address) DO NOTHING
  `);
}

export async function deleteOptOut(db: Db, address: string): Promise<void> {
  await db.query(sql.type(nothing)`DELETE FROM email_opt_outs WHERE address = lower(${address})`);
}

export function isOptedOut(db: Db, address: string): Promise<boolean> {
  return db.exists(sql.type(nothing)`SELECT FROM email_opt_outs WHERE address = lower(${address})`);
}
