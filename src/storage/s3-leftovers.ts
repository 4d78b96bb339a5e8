import { AbortMultipartUploadCommand, ListMultipartUploadsCommand, type S3Client } from '@aws-sdk/client-s3';

/** Longer than any upload takes. */
const staleAfterMs = 2 * 24 * 60 * 60 * 1_000;
const lookAgainAfterMs = 24 * 60 * 60 * 1_000;
const listMs = 5_000;

/**
 * Parts of an upload that nobody ended, because the process or the store died in its middle, are seen in no list and paid for all the same.
 * Before an upload, once a day, those of our prefix are thrown away. MinIO does not list them so, but clears them itself.
 */
export function createLeftovers(client: S3Client, { Bucket, prefix }: { Bucket: string; prefix: string }) {
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  return {
    async clear(nowMs = Date.now()): Promise<void> {
      if (nowMs - lookedAtMs < lookAgainAfterMs) return;
      lookedAtMs = nowMs;
      try {
        const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: prefix }), {
          abortSignal: AbortSignal.timeout(listMs),
        });
        for (const { Key, UploadId, Initiated } of Uploads)
          if (Initiated && nowMs - Initiated.getTime() > staleAfterMs)
            await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
      } catch {
        // Keys that may not list uploads are good for everything else, and a store that is away says so to the upload itself.
      }
    },
  };
}
