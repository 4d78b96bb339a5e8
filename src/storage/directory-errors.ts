import { StoreError, type StoreErrorKind } from './object-store.ts';

const kinds: Record<string, StoreErrorKind> = {
  ENOENT: 'not_found',
  ENOSPC: 'full',
  EDQUOT: 'full',
  EFBIG: 'full',
  EACCES: 'refused',
  EPERM: 'refused',
  EROFS: 'refused',
  ELOOP: 'refused',
  ENOTDIR: 'refused',
  EISDIR: 'refused',
  ENAMETOOLONG: 'refused',
  EXDEV: 'refused',
};

/** What the file system said; anything it has no better word for (EIO, EMFILE, a network folder gone) is worth another try. */
export function directoryError(error: unknown, what: string): StoreError {
  if (error instanceof StoreError) return error;
  const { code = 'UnknownError', message } = error as NodeJS.ErrnoException;
  return new StoreError(kinds[code] ?? 'away', code, `${what}: ${message}`, { cause: error });
}

/** Below a file there is nothing, as in a folder that is not there. */
export const isMissing = (error: unknown) =>
  ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
