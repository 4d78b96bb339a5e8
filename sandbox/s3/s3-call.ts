import type { S3Operation } from './s3-faults.ts';
import { notImplemented, S3Refusal } from './s3-refusal.ts';
import { decoded, headerOf, queryOf, type S3Request } from './s3-request.ts';

/** What a request asks for. */
export interface S3Call {
  operation: S3Operation;
  bucket: string;
  key: string;
}

/** Everything else in a query asks for something that the stand-in does not do, and says so rather than doing something else. */
const knownParameters =
  /^(X-Amz-.*|x-id|response-.*|list-type|prefix|max-keys|continuation-token|start-after|encoding-type|fetch-owner|uploads|uploadId|partNumber|delete)$/i;
const longestKey = 1_024;

type Line = Omit<S3Request, 'body'>;

export function callOf(request: Line, buckets: readonly string[]): S3Call {
  const { bucket, key } = placeOf(request, buckets);
  for (const [name] of request.query) if (!knownParameters.test(name)) throw notImplemented(`The parameter ${name}`);
  if (headerOf(request, 'x-amz-copy-source')) throw notImplemented('The header x-amz-copy-source');
  if (Buffer.byteLength(key) > longestKey) throw new S3Refusal(400, 'KeyTooLongError', 'Your key is too long');
  return { operation: key ? ofObject(request) : ofBucket(request), bucket, key };
}

/** In the path, or before the host's name. */
function placeOf(request: Line, buckets: readonly string[]): { bucket: string; key: string } {
  const path = decoded(request.path.slice(1));
  const host = headerOf(request, 'host') ?? '';
  const named = buckets.find((bucket) => host.startsWith(`${bucket}.`));
  if (named) return { bucket: named, key: path };
  const [bucket = '', key = ''] = path.split(/\/(.*)/s);
  if (!bucket) throw notImplemented('A list of buckets');
  return { bucket, key };
}

const has = (request: Line, name: string) => queryOf(request, name) !== null;
const notAllowed = () =>
  new S3Refusal(405, 'MethodNotAllowed', 'The specified method is not allowed against this resource.');

function ofBucket(request: Line): S3Operation {
  if (request.method === 'HEAD') return 'bucket.head';
  if (request.method === 'GET' && queryOf(request, 'list-type') === '2') return 'list';
  if (request.method === 'GET' && has(request, 'uploads')) return 'upload.list';
  if (request.method === 'GET') throw notImplemented('A list of the first kind');
  if (request.method === 'POST' && has(request, 'delete')) return 'delete.many';
  throw notAllowed();
}

function ofObject(request: Line): S3Operation {
  const isOfUpload = has(request, 'uploadId');
  switch (request.method) {
    case 'HEAD':
      return 'head';
    case 'GET':
      if (isOfUpload) throw notImplemented('A list of parts');
      return 'get';
    case 'PUT':
      return isOfUpload ? 'upload.part' : 'put';
    case 'DELETE':
      return isOfUpload ? 'upload.abort' : 'delete';
    case 'POST':
      if (has(request, 'uploads')) return 'upload.begin';
      if (isOfUpload) return 'upload.complete';
      throw notAllowed();
    default:
      throw notAllowed();
  }
}
