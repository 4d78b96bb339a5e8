import { z } from 'zod';
import { atLeast, durationWithin, flag, webAddress } from './config-values.ts';

const endpoint = webAddress.refine(
  (text) => new URL(text).pathname === '/',
  'takes an address without a path: the bucket has a name of its own',
);
const prefix = z
  .string()
  .regex(/^[\w.-]+(\/[\w.-]+)*\/?$/, 'takes letters, digits and ._- with / between, such as twolane/live')
  .default('');

/** The environment names of the three object stores. */
export const storeVariables = {
  R2_ACCOUNT_ID: z
    .string()
    .regex(/^[0-9a-f]{32}$/i, 'takes the 32 hexadecimal digits of the account')
    .optional(),
  R2_ENDPOINT: endpoint.optional(),
  R2_ACCESS_KEY_ID: atLeast(1).optional(),
  R2_SECRET_ACCESS_KEY: atLeast(1).optional(),
  R2_BUCKET: atLeast(1).optional(),
  R2_REGION: atLeast(1).default('auto'),
  R2_PREFIX: prefix,
  R2_PATH_STYLE: flag.default(true),
  MEDIA_S3_ENDPOINT: endpoint.optional(),
  MEDIA_S3_ACCESS_KEY_ID: atLeast(1).optional(),
  MEDIA_S3_SECRET_ACCESS_KEY: atLeast(1).optional(),
  MEDIA_S3_BUCKET: atLeast(1).optional(),
  MEDIA_S3_REGION: atLeast(1).default('us-east-1'),
  MEDIA_S3_PREFIX: prefix,
  MEDIA_S3_PATH_STYLE: flag.default(true),
  MEDIA_PUBLIC_URL: webAddress.optional(),
  BACKUP_S3_ENDPOINT: endpoint.optional(),
  BACKUP_S3_ACCESS_KEY_ID: atLeast(1).optional(),
  BACKUP_S3_SECRET_ACCESS_KEY: atLeast(1).optional(),
  BACKUP_S3_BUCKET: atLeast(1).optional(),
  BACKUP_S3_REGION: atLeast(1).default('us-east-1'),
  BACKUP_S3_PREFIX: prefix,
  BACKUP_S3_PATH_STYLE: flag.default(true),
  LOCAL_STORE_FOLDER: atLeast(1).optional(),
  STORE_TIMEOUT: durationWithin('100ms', '5m').default(30_000),
  RECEIPT_LINK_DURATION: durationWithin('1m', '7d').default(604_800_000),
};
const storeEnvironment = z.object(storeVariables);

export interface S3Settings {
  kind: 's3';
  endpoint: string;
  region: string;
  bucket: string;
  /** Before every key, with a slash at its end; empty for none. */
  prefix: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** The bucket in the path instead of the host's name. */
  isPathStyle: boolean;
  /** For an answer, or the next bytes of one. */
  timeoutMs: number;
}

export interface DirectorySettings {
  kind: 'directory';
  folder: string;
}

export type StoreSettings = S3Settings | DirectorySettings;

export interface StoresConfig {
  /** Null: not set up, which happens in production alone. */
  files: StoreSettings | null;
  /** Null: pictures and sounds come from this server alone. */
  media: S3Settings | null;
  backups: StoreSettings | null;
  /** Where browsers find the media store; null for this server. */
  mediaPublicUrl: string | null;
  /** How long the link to a receipt is good for. */
  receiptLinkMs: number;
}

type Present = Record<string, string | undefined>;
const keysOf = (family: string) => ['ACCESS_KEY_ID', 'SECRET_ACCESS_KEY', 'BUCKET'].map((name) => `${family}_${name}`);
const families = ['R2', 'MEDIA_S3', 'BACKUP_S3'] as const;

/** A store is there whole or not at all. */
export function storeFaults(present: Present, isProduction: boolean): string[] {
  const faults: string[] = [];
  for (const family of families) {
    const names = [`${family}_ENDPOINT`, ...keysOf(family)];
    const hasPlace = present[`${family}_ENDPOINT`] || (family === 'R2' && present.R2_ACCOUNT_ID);
    const missing = names.filter((name) => !present[name] && !(name === 'R2_ENDPOINT' && hasPlace));
    if ((hasPlace || missing.length < names.length) && missing.length > 0)
      faults.push(`${missing.join(', ')}: missing; ${names.join(', ')} come together or not at all`);
    if (isProduction && /^http:/i.test(present[`${family}_ENDPOINT`] ?? '') && !isHere(present[`${family}_ENDPOINT`]))
      faults.push(`${family}_ENDPOINT: takes an address with https in production`);
  }
  if (present.MEDIA_PUBLIC_URL && !present.MEDIA_S3_BUCKET)
    faults.push('MEDIA_PUBLIC_URL: says where MEDIA_S3_BUCKET is seen, which is missing');
  return faults;
}

/** A gateway on the same machine. */
const isHere = (address = '') => ['localhost', '127.0.0.1', '[::1]'].includes(new URL(address).hostname);

export function storesFrom(is: z.infer<typeof storeEnvironment>, isProduction: boolean): StoresConfig {
  const localFolder = is.LOCAL_STORE_FOLDER ?? (isProduction ? null : '.data/store');
  const local = (name: string): DirectorySettings | null =>
    localFolder === null ? null : { kind: 'directory', folder: `${localFolder}/${name}` };
  const s3 = (family: (typeof families)[number], place: string | undefined): S3Settings | null => {
    const bucket = is[`${family}_BUCKET`];
    const accessKeyId = is[`${family}_ACCESS_KEY_ID`];
    const secretAccessKey = is[`${family}_SECRET_ACCESS_KEY`];
    if (!place || !bucket || !accessKeyId || !secretAccessKey) return null;
    return Object.freeze({
      kind: 's3' as const,
      endpoint: place,
      region: is[`${family}_REGION`],
      bucket,
      prefix: is[`${family}_PREFIX`].replace(/([^/])$/, '$1/'),
      accessKeyId,
      secretAccessKey,
      isPathStyle: is[`${family}_PATH_STYLE`],
      timeoutMs: is.STORE_TIMEOUT,
    });
  };
  const ofAccount = is.R2_ACCOUNT_ID && `https://${is.R2_ACCOUNT_ID}.r2.cloudflarestorage.com`;
  return Object.freeze({
    files: s3('R2', is.R2_ENDPOINT ?? ofAccount) ?? local('files'),
    media: s3('MEDIA_S3', is.MEDIA_S3_ENDPOINT),
    backups: s3('BACKUP_S3', is.BACKUP_S3_ENDPOINT) ?? local('backups'),
    mediaPublicUrl: is.MEDIA_PUBLIC_URL?.replace(/\/$/, '') ?? null,
    receiptLinkMs: is.RECEIPT_LINK_DURATION,
  });
}
