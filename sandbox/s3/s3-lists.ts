import type { Buckets } from './buckets.ts';
import { document, quoted, type S3Answer } from './s3-answer.ts';
import { invalidArgument } from './s3-refusal.ts';
import { queryOf, type S3Request } from './s3-request.ts';
import type { Node } from './xml.ts';

const mostKeys = 1_000;

export function listObjects(buckets: Buckets, bucket: string, request: S3Request): S3Answer {
  const prefix = queryOf(request, 'prefix') ?? '';
  const asked = Number(queryOf(request, 'max-keys') ?? mostKeys);
  if (!Number.isInteger(asked) || asked < 0) throw invalidArgument('Argument max-keys must be an integer of 0 or more');
  const token = queryOf(request, 'continuation-token');
  const after = Buffer.from(token === null ? (queryOf(request, 'start-after') ?? '') : afterOf(token));
  const encode = queryOf(request, 'encoding-type') === 'url' ? encodeURIComponent : (text: string) => text;

  const left = buckets
    .sorted(bucket)
    .filter(({ key }) => key.startsWith(prefix) && Buffer.compare(Buffer.from(key), after) > 0);
  const page = left.slice(0, Math.min(asked, mostKeys));
  const isTruncated = page.length > 0 && page.length < left.length;
  return document([
    'ListBucketResult',
    [
      ['Name', bucket],
      ['Prefix', encode(prefix)],
      ['KeyCount', page.length],
      ['MaxKeys', asked],
      ['IsTruncated', isTruncated],
      ...(isTruncated ? ([['NextContinuationToken', tokenOf(page.at(-1)?.key ?? '')]] as Node[]) : []),
      ...page.map(
        ({ key, bytes, etag, changedAt }): Node => [
          'Contents',
          [
            ['Key', encode(key)],
            ['LastModified', changedAt.toISOString()],
            ['ETag', quoted(etag)],
            ['Size', bytes],
            ['StorageClass', 'STANDARD'],
          ],
        ],
      ),
    ],
  ]);
}

/** Opaque to clients, and not to be made up by them. */
const tokenOf = (key: string) => Buffer.from(`after:${key}`).toString('base64');

function afterOf(token: string): string {
  const [, key] = /^after:(.*)$/s.exec(Buffer.from(token, 'base64').toString()) ?? [];
  if (key === undefined) throw invalidArgument('The continuation token provided is incorrect');
  return key;
}

export function listUploads(buckets: Buckets, bucket: string, request: S3Request): S3Answer {
  buckets.of(bucket);
  const prefix = queryOf(request, 'prefix') ?? '';
  const uploads = buckets.openUploads(bucket).filter(({ key }) => key.startsWith(prefix));
  return document([
    'ListMultipartUploadsResult',
    [
      ['Bucket', bucket],
      ['IsTruncated', false],
      ...uploads.map(
        ({ key, uploadId, startedAt }): Node => [
          'Upload',
          [
            ['Key', key],
            ['UploadId', uploadId],
            ['Initiated', startedAt.toISOString()],
          ],
        ],
      ),
    ],
  ]);
}
