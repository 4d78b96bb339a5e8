import { StoreError, type StoreErrorKind } from './object-store.ts';

/** Where the status alone would say something else. */
const kindOfCode: Record<string, StoreErrorKind> = {
  NoSuchBucket: 'refused',
  NoSuchUpload: 'away', // somebody ended it: a new put begins a new one
  RequestTimeout: 'away',
  OperationAborted: 'away',
  BadDigest: 'damaged',
  XAmzContentSHA256Mismatch: 'damaged',
  IncompleteBody: 'damaged',
  InsufficientStorage: 'full',
  QuotaExceeded: 'full',
  XMinioStorageFull: 'full',
  XMinioAdminBucketQuotaExceeded: 'full',
};

const kindOfStatus = (status: number): StoreErrorKind => {
  if (status === 404) return 'not_found';
  if (status === 507) return 'full';
  return status >= 500 || status === 408 || status === 409 || status === 429 ? 'away' : 'refused';
};

/** A certificate that nobody trusts does not get better by trying again. */
const isOfTls = (code: string) => /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|^ERR_(TLS|SSL)|^EPROTO$/.test(code);

/** Whatever the client threw, in the words of a store. */
export function s3Error(error: unknown, what: string): StoreError {
  if (error instanceof StoreError) return error;
  const { name, code, message, $metadata } = error as Error & {
    code?: string;
    $metadata?: { httpStatusCode?: number };
  };
  const status = $metadata?.httpStatusCode;
  const word = status ? name : (code ?? name);
  const kind = kindOfCode[word] ?? (status ? kindOfStatus(status) : isOfTls(word) ? 'refused' : 'away');
  return new StoreError(kind, word, `${what}: ${word}${message && message !== word ? `: ${message}` : ''}`, {
    cause: error,
  });
}
