import type { Buckets, KeptObject, ObjectHeaders } from './buckets.ts';
import { document, empty, quoted, type S3Answer } from './s3-answer.ts';
import type { S3Call } from './s3-call.ts';
import { listObjects, listUploads } from './s3-lists.ts';
import { malformedXml, S3Refusal } from './s3-refusal.ts';
import { headerOf, queryOf, type S3Request } from './s3-request.ts';
import { textsOf } from './xml.ts';

/** What an accepted call does. `content` is its body, unpacked. */
export async function effectOf(buckets: Buckets, call: S3Call, request: S3Request, content: Buffer): Promise<S3Answer> {
  const { bucket, key } = call;
  const uploadId = queryOf(request, 'uploadId') ?? '';
  switch (call.operation) {
    case 'put': {
      const { etag } = await buckets.put(bucket, key, keptHeaders(request), content);
      return empty(200, { etag: quoted(etag) });
    }
    case 'get':
    case 'head':
      return readAnswer(buckets.find(bucket, key), call.operation, request);
    case 'delete':
      await buckets.delete(bucket, key);
      return empty(204);
    case 'bucket.head':
      buckets.of(bucket);
      return empty(200);
    case 'list':
      return listObjects(buckets, bucket, request);
    case 'delete.many': {
      if (!headerOf(request, 'content-md5'))
        throw new S3Refusal(400, 'InvalidRequest', 'Missing required header for this request: Content-MD5');
      const keys = textsOf(content.toString(), 'Key');
      if (keys.length === 0 || keys.length > 1_000) throw malformedXml();
      for (const one of keys) await buckets.delete(bucket, one);
      return document(['DeleteResult', keys.map((one) => ['Deleted', [['Key', one]]] as const)]);
    }
    case 'upload.begin': {
      const begun = buckets.begin(bucket, key, keptHeaders(request));
      return document([
        'InitiateMultipartUploadResult',
        [
          ['Bucket', bucket],
          ['Key', key],
          ['UploadId', begun],
        ],
      ]);
    }
    case 'upload.part': {
      const etag = await buckets.putPart(bucket, key, uploadId, Number(queryOf(request, 'partNumber')), content);
      return empty(200, { etag: quoted(etag) });
    }
    case 'upload.complete': {
      const listed = textsOf(content.toString(), 'Part').map((part) => ({
        partNumber: Number(textsOf(part, 'PartNumber')[0]),
        etag: textsOf(part, 'ETag')[0] ?? '',
      }));
      if (listed.length === 0 || listed.some(({ partNumber }) => !Number.isInteger(partNumber))) throw malformedXml();
      const { etag } = await buckets.complete(bucket, key, uploadId, listed);
      return document([
        'CompleteMultipartUploadResult',
        [
          ['Bucket', bucket],
          ['Key', key],
          ['ETag', quoted(etag)],
        ],
      ]);
    }
    case 'upload.abort':
      await buckets.abort(bucket, key, uploadId);
      return empty(204);
    case 'upload.list':
      return listUploads(buckets, bucket, request);
  }
}

const kept = ['content-type', 'cache-control', 'content-disposition', 'content-language', 'expires'];

function keptHeaders(request: S3Request): ObjectHeaders {
  const names = Object.keys(request.headers).filter((name) => kept.includes(name) || name.startsWith('x-amz-meta-'));
  return Object.fromEntries(names.map((name) => [name, headerOf(request, name) ?? '']));
}

function readAnswer(object: KeptObject, operation: 'get' | 'head', request: S3Request): S3Answer {
  const stretch = rangeOf(headerOf(request, 'range'), object.bytes);
  const { start, end } = stretch ?? { start: 0, end: object.bytes };
  const asked = request.query
    .filter(([name]) => name.startsWith('response-'))
    .map(([name, value]) => [name.slice('response-'.length), value]);
  const headers = {
    'content-type': 'binary/octet-stream',
    ...object.headers,
    ...Object.fromEntries(asked),
    'content-length': String(end - start),
    'accept-ranges': 'bytes',
    etag: quoted(object.etag),
    'last-modified': object.changedAt.toUTCString(),
    ...(stretch && { 'content-range': `bytes ${start}-${end - 1}/${object.bytes}` }),
  };
  return { status: stretch ? 206 : 200, headers, body: operation === 'head' ? null : { object, start, end } };
}

/** Null: all of it, which is also what a header of another form gets. */
function rangeOf(header: string | null, bytes: number): { start: number; end: number } | null {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (from === '' && to === '') return null;
  const start = from === '' ? Math.max(0, bytes - Number(to)) : Number(from);
  const end = from === '' || to === '' ? bytes : Math.min(Number(to) + 1, bytes);
  if (start >= end) throw new S3Refusal(416, 'InvalidRange', 'The requested range is not satisfiable');
  return { start, end };
}
