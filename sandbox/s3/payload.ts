import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { notImplemented, S3Refusal } from './s3-refusal.ts';
import { headerOf, type S3Request, sha256 } from './s3-request.ts';
import type { Signed } from './signature.ts';

const lineEnd = Buffer.from('\r\n');
const incomplete = () =>
  new S3Refusal(
    400,
    'IncompleteBody',
    'You did not provide the number of bytes specified by the Content-Length header.',
  );

/** The bytes that were meant, out of those that came: unpacked from chunks, and compared with every sum that was sent along. */
export function readPayload(request: S3Request, { payload }: Signed): Buffer {
  if (/^[0-9a-f]{64}$/.test(payload) && sha256(request.body) !== payload)
    throw new S3Refusal(
      400,
      'XAmzContentSHA256Mismatch',
      'The provided x-amz-content-sha256 header does not match what was computed.',
    );
  if (payload.startsWith('STREAMING-AWS4')) throw notImplemented('A body of signed chunks');
  const { bytes, trailers } = payload.startsWith('STREAMING-')
    ? unpack(request)
    : { bytes: request.body, trailers: new Map<string, string>() };
  compareSums(request, bytes, trailers);
  return bytes;
}

function unpack(request: S3Request): { bytes: Buffer; trailers: Map<string, string> } {
  const length = headerOf(request, 'x-amz-decoded-content-length');
  if (length === null || !headerOf(request, 'content-encoding')?.includes('aws-chunked'))
    throw new S3Refusal(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
  const pieces: Buffer[] = [];
  let { body } = request;
  for (;;) {
    const [line, rest] = cut(body);
    const [, size = ''] = /^([0-9a-f]+)$/i.exec(line) ?? [];
    const bytes = Number.parseInt(size, 16);
    if (Number.isNaN(bytes) || rest.length < bytes) throw incomplete();
    const piece = rest.subarray(0, bytes);
    if (bytes === 0) {
      body = rest;
      break;
    }
    pieces.push(piece);
    if (!rest.subarray(bytes, bytes + 2).equals(lineEnd)) throw incomplete();
    body = rest.subarray(bytes + 2);
  }
  const bytes = Buffer.concat(pieces);
  if (bytes.length !== Number(length)) throw incomplete();
  return { bytes, trailers: readTrailers(request, body) };
}

function cut(body: Buffer): [string, Buffer] {
  const end = body.indexOf(lineEnd);
  if (end < 0) throw incomplete();
  return [body.subarray(0, end).toString('latin1'), body.subarray(end + 2)];
}

function readTrailers(request: S3Request, body: Buffer): Map<string, string> {
  const lines = body.toString('latin1').split('\r\n').filter(Boolean);
  const trailers = new Map(
    lines.map((line) => {
      const [name = '', value = ''] = line.split(/:(.*)/s);
      return [name.trim().toLowerCase(), value.trim()];
    }),
  );
  const promised = headerOf(request, 'x-amz-trailer');
  if (promised && !trailers.has(promised.toLowerCase()))
    throw new S3Refusal(400, 'MalformedTrailerError', 'The request contained trailing data that was not well-formed.');
  return trailers;
}

const sums: Record<string, (bytes: Buffer) => string> = {
  'content-md5': (bytes) => createHash('md5').update(bytes).digest('base64'),
  'x-amz-checksum-sha1': (bytes) => createHash('sha1').update(bytes).digest('base64'),
  'x-amz-checksum-sha256': (bytes) => createHash('sha256').update(bytes).digest('base64'),
  'x-amz-checksum-crc32': (bytes) => {
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(bytes));
    return sum.toString('base64');
  },
};

function compareSums(request: S3Request, bytes: Buffer, trailers: Map<string, string>): void {
  for (const [name, sum] of Object.entries(sums)) {
    const said = headerOf(request, name) ?? trailers.get(name);
    if (said !== undefined && said !== sum(bytes))
      throw new S3Refusal(400, 'BadDigest', `The ${name} you specified did not match what was calculated.`);
  }
}
