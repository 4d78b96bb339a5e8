import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { Buckets, readObject } from './buckets.ts';
import { readPayload } from './payload.ts';
import { problem, type S3Answer } from './s3-answer.ts';
import { callOf, type S3Call } from './s3-call.ts';
import { controlAnswer, controlPath, type S3LogLine } from './s3-control.ts';
import { effectOf } from './s3-effects.ts';
import { type S3Fault, S3Faults } from './s3-faults.ts';
import { S3Refusal } from './s3-refusal.ts';
import { headerOf, readRequestLine, type S3Request } from './s3-request.ts';
import { sendAnswer } from './send-answer.ts';
import { type S3Credentials, verifySignature } from './signature.ts';

export interface S3SandboxOptions {
  /** 0, the default: any free one. */
  port?: number;
  host?: string;
  credentials?: S3Credentials | readonly S3Credentials[];
  buckets: readonly string[];
  region?: string;
  /** Where bytes lie; without, in memory. What was there before is not seen. */
  folder?: string;
  /** The server's own time, by which signatures are too old or too new. */
  nowMs?: () => number;
}

export interface S3Sandbox {
  url: string;
  faults: S3Faults;
  /** Calls in the order in which they ended. */
  log: readonly S3LogLine[];
  /** The environment names that send a store of this family (`R2`, `MEDIA_S3`, `BACKUP_S3`) to this bucket. */
  settings(family: string, bucket?: string): Record<string, string>;
  keys(bucket?: string): string[];
  /** The bytes of an object, past all signatures. */
  read(key: string, bucket?: string): Promise<Buffer>;
  /** Replaces them as nobody should. */
  write(key: string, content: Buffer, bucket?: string): Promise<void>;
  remove(key: string, bucket?: string): Promise<void>;
  /** As if they had been begun so much earlier. */
  ageUploads(ms: number): void;
  openUploads(): { bucket: string; key: string; parts: number }[];
  close(): Promise<void>;
}

export const demoS3Credentials: S3Credentials = {
  accessKeyId: 'twolane-sandbox',
  secretAccessKey: 'twolane-sandbox-secret',
};

const mostLogged = 10_000;
const largestBody = 5 * 1024 ** 3;

/**
 * S3 over its real wire, as far as a store needs it, and no more: what it does not do it answers with 501. Everything below a bucket is
 * verified as the real ones verify it; `/sandbox/` is ours.
 */
export async function startS3Sandbox(options: S3SandboxOptions): Promise<S3Sandbox> {
  const { region = 'us-east-1', host = '127.0.0.1', nowMs = Date.now, folder = null } = options;
  const credentials = [options.credentials ?? demoS3Credentials].flat();
  const [firstBucket = ''] = options.buckets;
  const buckets = new Buckets(options.buckets, folder);
  const faults = new S3Faults();
  const log: S3LogLine[] = [];
  const rules = { credentials, region, nowMs };

  const note = (call: Partial<S3Call>, status: number, code: string | null) => {
    log.push({ operation: call.operation ?? '-', bucket: call.bucket ?? '', key: call.key ?? '', status, code });
    if (log.length > mostLogged) log.shift();
  };

  async function take(message: IncomingMessage, response: ServerResponse, socket: Socket): Promise<void> {
    if (message.url?.startsWith(controlPath)) {
      const answer = controlAnswer(message, await buffer(message), { buckets, faults, log });
      return await sendAnswer(response, answer, null);
    }
    let call: Partial<S3Call> = {};
    let answer: S3Answer;
    let fault: S3Fault | null = null;
    let code: string | null = null;
    try {
      const body = await readBody(message, faults);
      const line = readRequestLine(message);
      const known = callOf(line, options.buckets);
      call = known;
      const request: S3Request = { ...line, body };
      fault = faults.next(known.operation, known.key);
      if (fault?.kind === 'hangs') return note(call, 0, 'hangs');
      if (fault?.kind === 'reset') throw new BrokenConnection();
      const trouble = fault && troubleOf(fault);
      if (trouble) throw trouble;
      const content = readPayload(request, verifySignature(request, rules));
      answer = await effectOf(buckets, known, request, content);
      if (fault?.kind === 'answer_lost') throw new BrokenConnection();
    } catch (error) {
      if (error instanceof BrokenConnection || socket.destroyed) {
        note(call, 0, fault?.kind ?? 'broken');
        socket.destroy();
        return;
      }
      if (!(error instanceof S3Refusal)) throw error;
      code = error.code;
      answer = problem(error.status, code, error.message);
    }
    note(call, answer.status, code);
    await sendAnswer(response, message.method === 'HEAD' ? { ...answer, body: null } : answer, fault);
  }

  const server = createServer((message, response) => {
    const { socket } = message; // not to be had from it any more once it is broken
    take(message, response, socket).catch((error: unknown) => {
      if (socket.destroyed) return; // whoever asked has gone
      console.error('the S3 stand-in failed', error);
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  const { port } = server.address() as AddressInfo; // it listens on a port, not on a pipe
  const url = `http://${host}:${port}`;

  return {
    url,
    faults,
    log,
    settings: (family, bucket = firstBucket) => ({
      [`${family}_ENDPOINT`]: url,
      [`${family}_REGION`]: region,
      [`${family}_ACCESS_KEY_ID`]: credentials[0]?.accessKeyId ?? '',
      [`${family}_SECRET_ACCESS_KEY`]: credentials[0]?.secretAccessKey ?? '',
      [`${family}_BUCKET`]: bucket,
      [`${family}_PATH_STYLE`]: 'true',
    }),
    keys: (bucket = firstBucket) => buckets.sorted(bucket).map(({ key }) => key),
    async read(key, bucket = firstBucket) {
      const object = buckets.find(bucket, key);
      return Buffer.concat(await Array.fromAsync(readObject(object, 0, object.bytes)));
    },
    async write(key, content, bucket = firstBucket) {
      await buckets.put(bucket, key, {}, content);
    },
    remove: (key, bucket = firstBucket) => buckets.delete(bucket, key),
    ageUploads: (ms) => buckets.ageUploads(ms),
    openUploads: () => buckets.openUploads(),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** No answer, and no connection any more. */
class BrokenConnection extends Error {}

async function readBody(message: IncomingMessage, faults: S3Faults): Promise<Buffer> {
  const length = headerOf(message, 'content-length');
  const chunks: Buffer[] = [];
  if (faults.isDead(0)) throw new BrokenConnection();
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) {
      if (faults.isDead(chunk.length)) throw new BrokenConnection();
      chunks.push(chunk);
    }
  } catch (error) {
    throw new BrokenConnection('shorter than said', { cause: error });
  }
  if (message.method === 'PUT' && length === null && !headerOf(message, 'x-amz-decoded-content-length'))
    throw headerOf(message, 'transfer-encoding')
      ? new S3Refusal(
          501,
          'NotImplemented',
          'A header you provided implies functionality that is not implemented: Transfer-Encoding',
        )
      : new S3Refusal(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
  if (Number(length) > largestBody)
    throw new S3Refusal(400, 'EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size');
  return Buffer.concat(chunks);
}

function troubleOf({ kind }: S3Fault): S3Refusal | null {
  if (kind === 'slow_down') return new S3Refusal(503, 'SlowDown', 'Please reduce your request rate.');
  if (kind === 'refused') return new S3Refusal(403, 'AccessDenied', 'Access Denied');
  if (kind === 'full')
    return new S3Refusal(507, 'XMinioStorageFull', 'Storage backend has reached its minimum free drive threshold.');
  return null;
}
