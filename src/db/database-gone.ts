import type { DatabaseError } from 'pg';

/** Shut down, crashed, or starting. Neither one that is full (53…) nor a statement that took too long (57014). */
const goneStates = /^(08...|57P0[123])$/;

/**
 * No database answers: refused, lost, or going away. Stricter than `isConnectionFault`, for what must not open to somebody who
 * only makes the database slow or the pool full.
 */
export function isDatabaseGone(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = String((error as Partial<DatabaseError>).code ?? '');
  if (/^[0-9A-Z]{5}$/.test(code)) return goneStates.test(code);
  if (/^E[A-Z]+$/.test(code)) return true; // ECONNREFUSED, ECONNRESET, EHOSTUNREACH …
  // pg's words where the connection ends without an error of its own; slonik and an AggregateError keep pg's inside.
  if (/^Connection terminated( unexpectedly)?$/.test(error.message)) return true;
  return isDatabaseGone(error instanceof AggregateError ? error.errors[0] : error.cause);
}
