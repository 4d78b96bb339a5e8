import { randomBytes } from 'node:crypto';
import type { S3Settings } from '../../src/config-stores.ts';

/** As the environment names it, under a prefix that nobody else has. */
export function s3Settings(said: Record<string, string | undefined>, family = 'R2', timeoutMs = 30_000): S3Settings {
  const of = (name: string) => said[`${family}_${name}`] ?? '';
  return {
    kind: 's3',
    endpoint: of('ENDPOINT'),
    region: of('REGION') || 'us-east-1',
    bucket: of('BUCKET'),
    prefix: `contract-${randomBytes(6).toString('hex')}/`,
    accessKeyId: of('ACCESS_KEY_ID'),
    secretAccessKey: of('SECRET_ACCESS_KEY'),
    isPathStyle: of('PATH_STYLE') !== 'false',
    timeoutMs,
  };
}
