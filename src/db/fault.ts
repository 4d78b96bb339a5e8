import type { DatabaseError } from 'pg';

/** SQLSTATE classes of faults of one row: neighbours in the same group are innocent. */
const rowFaultClasses = new Set(['22', '23']);
/** Two groups waited for each other, or a snapshot was too old: the same group again is right. */
const conflictCodes = new Set(['40001', '40P01']);
/** The server is going away, starting, or full. */
const serverClasses = new Set(['08', '53', '57', '58']);

/** slonik keeps pg's error as the cause of its own. */
function sqlState(error: unknown): string {
  const { code, cause } = (error ?? {}) as Partial<DatabaseError> & { cause?: unknown };
  return typeof code === 'string' ? code : cause ? sqlState(cause) : '';
}

export const isRowFault = (error: unknown) => rowFaultClasses.has(sqlState(error).slice(0, 2));
export const isConflict = (error: unknown) => conflictCodes.has(sqlState(error)) || isSecondWriting(error);

/** Our first try of the same group was committed after all, behind a connection that was lost. */
const isSecondWriting = (error: unknown) => (error as Partial<DatabaseError>)?.constraint === 'orders_pkey';

/** The connection was lost or refused: whether the statement was carried out is unknown. */
export function isConnectionFault(error: unknown): boolean {
  const code = sqlState(error);
  if (/^E[A-Z]+$/.test(code)) return true; // ECONNREFUSED, ECONNRESET, EPIPE …
  if (/^[0-9A-Z]{5}$/.test(code)) return serverClasses.has(code.slice(0, 2));
  if (!(error instanceof Error)) return false;
  return /connection|timeout|terminat/i.test(error.message) || isConnectionFault(error.cause); // slonik keeps pg's error as the cause
}

/** The account that a row belongs to is gone. */
export const isMissingUser = (error: unknown) =>
  (error as Partial<DatabaseError>)?.constraint === 'orders_user_id_fkey';
