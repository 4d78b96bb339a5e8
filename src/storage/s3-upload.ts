import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { StoreError } from './object-store.ts';
import { s3Error } from './s3-errors.ts';

/**
 * Two parts under way, one being filled, and the rest of the one before: 48 MiB at most. All parts but the last are of one size, which R2
 * insists on, and there may be 10,000 of them: an object of 117 GiB.
 */
const partBytes = 12 * 1024 * 1024;
const partsAtOnce = 2;
const mostBytes = partBytes * 10_000;

export interface UploadTarget {
  Bucket: string;
  Key: string;
  ContentType?: string;
  CacheControl?: string;
}

/** By which an object whose answer was lost is known as the one we sent. */
const putName = 'twolane-put';

/**
 * One object from a stream: in parts, or in one piece when it is shorter than a part. `Upload` by itself waits for the next bytes of the
 * body before it says that a part failed, and when it is stopped it leaves before it has cleaned up; so here the first fault ends the body
 * and what is under way, and nobody hears of it before the parts are thrown away.
 */
export async function uploadStream(
  client: S3Client,
  target: UploadTarget,
  body: Readable,
  { what, signal }: { what: string; signal: AbortSignal | undefined },
): Promise<void> {
  const put = randomUUID();
  const underWay = new AbortController();
  let fault: { error: unknown } | null = null;
  const fail = (error: unknown) => {
    fault ??= { error };
    underWay.abort();
    body.destroy();
  };

  const send = async (command: Parameters<S3Client['send']>[0]) => {
    try {
      return await client.send(command, mustEnd(command) ? {} : { abortSignal: underWay.signal });
    } catch (error) {
      if (command instanceof CompleteMultipartUploadCommand && (await isStored(client, target, put))) return {};
      fail(s3Error(error, what));
      throw error;
    }
  };
  async function* bytes() {
    let sent = 0;
    try {
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        sent += chunk.byteLength;
        if (sent > mostBytes)
          throw new StoreError('refused', 'EntityTooLarge', `${what}: an object has ${mostBytes} bytes at most`);
        yield chunk;
      }
    } catch (error) {
      fail(error); // of the body: the store has no part in it
      throw error;
    }
  }

  const stop = () => fail(signal?.reason);
  signal?.addEventListener('abort', stop);
  try {
    signal?.throwIfAborted();
    await new Upload({
      client: Object.create(client, { send: { value: send } }) as S3Client, // the client in all but this
      params: { ...target, Body: Readable.from(bytes()), Metadata: { [putName]: put } },
      partSize: partBytes,
      queueSize: partsAtOnce,
    }).done();
  } catch (error) {
    fail(error);
    throw (fault as { error: unknown } | null)?.error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** What begins or ends a multipart upload is not given up halfway: nobody would know whether it is there. */
const mustEnd = (command: unknown) =>
  command instanceof CreateMultipartUploadCommand ||
  command instanceof CompleteMultipartUploadCommand ||
  command instanceof AbortMultipartUploadCommand;

async function isStored(client: S3Client, { Bucket, Key }: UploadTarget, put: string): Promise<boolean> {
  try {
    const { Metadata } = await client.send(new HeadObjectCommand({ Bucket, Key }));
    return Metadata?.[putName] === put;
  } catch {
    return false; // what the store said to the upload itself is told
  }
}
