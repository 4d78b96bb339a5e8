import { deleteOldSessions } from '../db/sessions.ts';
import { deleteOldFailures } from '../db/sign-in-failures.ts';
import type { Db } from '../db/sql.ts';

/** Sessions that ended long ago and failures that nobody counts any more. */
export async function forgetOldSignIns(db: Db): Promise<void> {
  await deleteOldSessions(db);
  await deleteOldFailures(db);
}
