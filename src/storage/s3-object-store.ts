import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { S3Settings } from '../config-stores.ts';
import { attachmentHeader, nameOf } from './file-name.ts';
import { assertLinkDuration } from './link-duration.ts';
import { type ObjectStore, StoreError } from './object-store.ts';
import { s3Error } from './s3-errors.ts';
import { createLeftovers } from './s3-leftovers.ts';
import { uploadStream } from './s3-upload.ts';
import { assertStoreKey, isStoreKey } from './store-key.ts';
import { wholeStream } from './whole-stream.ts';

const attempts = 3;
const connectMs = 5_000;
/** For `check`, which is asked by who wants to know now. */
const checkMs = 5_000;

/** A bucket, by what R2, Strato, MinIO and S3 itself have in common. */
export function createS3ObjectStore(settings: S3Settings): ObjectStore {
  const { bucket: Bucket, prefix, timeoutMs } = settings;
  const clients = openClients(settings);
  const { reading, writing } = clients;
  const leftovers = createLeftovers(reading, { Bucket, prefix });
  const keyed = (key: string) => {
    assertStoreKey(key);
    return { Bucket, Key: `${prefix}${key}` };
  };

  return {
    kind: 's3',
    place: Bucket,

    async put(key, body, { contentType, cacheControl, signal } = {}) {
      const source = body instanceof Readable ? body : Readable.from([body]);
      source.on('error', () => {}); // thrown by who reads it; it may fail before anybody does
      try {
        const target = {
          ...keyed(key),
          ...(contentType && { ContentType: contentType }),
          ...(cacheControl && { CacheControl: cacheControl }),
        };
        await leftovers.clear();
        await uploadStream(writing, target, source, { what: `${key} could not be written`, signal });
      } finally {
        source.destroy();
      }
    },

    async get(key, { signal } = {}) {
      const what = `${key} could not be read`;
      try {
        signal?.throwIfAborted();
        const { Body, ContentLength } = await reading.send(
          new GetObjectCommand(keyed(key)),
          signal ? { abortSignal: signal } : {},
        );
        if (!(Body instanceof Readable)) throw new StoreError('damaged', 'NoBody', `${what}: nothing came`);
        return wholeStream(Body, {
          bytes: ContentLength ?? null,
          timeoutMs,
          signal,
          translate: (error) => s3Error(error, what),
        });
      } catch (error) {
        throw signal?.aborted ? signal.reason : s3Error(error, what);
      }
    },

    async head(key) {
      try {
        const { ContentLength = 0, LastModified = new Date(0) } = await reading.send(new HeadObjectCommand(keyed(key)));
        return { key, bytes: ContentLength, changedAt: LastModified };
      } catch (error) {
        const known = s3Error(error, `${key} could not be looked at`);
        if (known.kind === 'not_found') return null;
        throw known;
      }
    },

    async *list(wanted) {
      let ContinuationToken: string | undefined;
      do {
        let page: ListObjectsV2CommandOutput;
        try {
          page = await reading.send(
            new ListObjectsV2Command({
              Bucket,
              Prefix: `${prefix}${wanted}`,
              ...(ContinuationToken && { ContinuationToken }),
            }),
          );
        } catch (error) {
          throw s3Error(error, `${Bucket} could not be listed`);
        }
        for (const { Key = '', Size = 0, LastModified = new Date(0) } of page.Contents ?? []) {
          const key = Key.slice(prefix.length);
          if (isStoreKey(key)) yield { key, bytes: Size, changedAt: LastModified }; // others may keep things there too
        }
        ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined;
      } while (ContinuationToken);
    },

    async delete(key) {
      try {
        await reading.send(new DeleteObjectCommand(keyed(key)));
      } catch (error) {
        const known = s3Error(error, `${key} could not be deleted`);
        if (known.kind !== 'not_found') throw known;
      }
    },

    async signedUrl(key, { expiresInMs, fileName }) {
      assertLinkDuration(expiresInMs);
      const command = new GetObjectCommand({
        ...keyed(key),
        ResponseContentDisposition: attachmentHeader(fileName ?? nameOf(key)),
        ResponseCacheControl: 'private, no-store',
      });
      return getSignedUrl(reading, command, { expiresIn: Math.max(1, Math.floor(expiresInMs / 1_000)) });
    },

    async check() {
      try {
        const abortSignal = AbortSignal.timeout(Math.min(timeoutMs, checkMs));
        await reading.send(new ListObjectsV2Command({ Bucket, Prefix: prefix, MaxKeys: 1 }), { abortSignal });
      } catch (error) {
        throw s3Error(error, `${Bucket} cannot be used`);
      }
    },

    close() {
      clients.close();
    },
  };
}

/**
 * Two clients, as there are two kinds of waiting. A call with a small body has so long for its answer; what it then sends is watched where
 * it is read. A part of an upload may take its time as long as bytes move.
 */
function openClients({ endpoint, region, accessKeyId, secretAccessKey, isPathStyle, timeoutMs }: S3Settings) {
  const shared = {
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: isPathStyle,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false, // not every gateway answers it, and each part would wait for seconds
    maxAttempts: attempts,
    retryMode: 'standard',
  } as const;
  const connectionTimeout = Math.min(connectMs, timeoutMs);
  const reading = new S3Client({
    ...shared,
    requestHandler: { connectionTimeout, requestTimeout: timeoutMs, throwOnRequestTimeout: true, socketTimeout: 0 },
  });
  const writing = new S3Client({
    ...shared,
    requestHandler: { connectionTimeout, socketTimeout: timeoutMs },
  });
  let isClosed = false;
  for (const client of [reading, writing])
    client.middlewareStack.add(
      (next) => async (call) => {
        // `close` ends what is under way, and the client would try it again.
        if (isClosed) throw new StoreError('away', 'Closed', 'the store was closed');
        return next(call);
      },
      { step: 'finalizeRequest', priority: 'low', name: 'refuseWhenClosed' },
    );
  return {
    reading,
    writing,
    close() {
      isClosed = true;
      reading.destroy();
      writing.destroy();
    },
  };
}
