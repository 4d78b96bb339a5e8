import {
  BackupDamagedError,
  BackupKeyError,
  BackupTooNewError,
  EngineRunningError,
  RestoreUnfinishedError,
  SchemaUnknownError,
  ScratchUnavailableError,
  TargetNotEmptyError,
} from '../../backup/backup-errors.ts';
import { isConnectionFault } from '../../db/fault.ts';
import { EngineError } from '../../domain/errors.ts';
import { StartUpError } from '../../domain/start-up-error.ts';
import { StoreError } from '../../storage/object-store.ts';
import { CliError, exitCodes, InterruptedError } from '../failures.ts';
import type { Terminal } from '../terminal.ts';

/** Does the work of a command, and says what it failed with so that somebody can act on it. */
export async function toldInWords<T>({ signal }: Pick<Terminal, 'signal'>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted) throw new InterruptedError();
    throw inWords(error);
  }
}

function inWords(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof CliError) return error;
  const told = (title: string, ...hints: string[]) => new CliError(title, hints, exitCodes.failed, { cause: error });
  if (error instanceof BackupDamagedError)
    return told(
      error.message,
      'it cannot be restored whole: take another one, `twolane backup list` shows which there are',
    );
  if (error instanceof TargetNotEmptyError)
    return told(
      error.message,
      'make an empty database (`createdb -h HOST -U USER NAME`), or look at the data beside the others with --into-empty-schema NAME',
    );
  if (error instanceof StoreError) return told(`the store of the backups: ${error.message}`, ...storeHints(error));
  const isSaidWhole =
    error instanceof BackupKeyError ||
    error instanceof BackupTooNewError ||
    error instanceof SchemaUnknownError ||
    error instanceof EngineRunningError ||
    error instanceof RestoreUnfinishedError ||
    error instanceof ScratchUnavailableError ||
    error instanceof EngineError ||
    error instanceof StartUpError;
  if (isSaidWhole) return told(error.message);
  if (isConnectionFault(error))
    return told(`the database cannot be used: ${error.message}`, 'is it running, and is the address right?');
  const refusal = sqlState(error);
  if (refusal !== null) return told(`the database refuses it: ${error.message}`, ...refusalHints(refusal));
  return error;
}

/** slonik keeps the error of Postgres as the cause of its own. */
function sqlState(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : sqlState(error.cause);
}

function refusalHints(code: string): string[] {
  if (code === '3D000') return ['make it first: `createdb -h HOST -U USER NAME`'];
  if (code.startsWith('28')) return ['are the user and the password in the address right?'];
  if (code === '42501') return ['its user must own the database: `ALTER DATABASE NAME OWNER TO USER`'];
  return [];
}

function storeHints({ kind }: StoreError): string[] {
  if (kind === 'refused') return ['are its keys and its bucket right, and may they read and write there?'];
  if (kind === 'away') return ['is it reached from here? nothing was changed'];
  if (kind === 'full') return ['make room there, or take old backups away'];
  return [];
}
