import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { Buckets } from './buckets.ts';
import type { S3Answer } from './s3-answer.ts';
import type { S3Faults } from './s3-faults.ts';

export const controlPath = '/sandbox/';

export interface S3LogLine {
  operation: string;
  bucket: string;
  key: string;
  /** 0: no answer. */
  status: number;
  code: string | null;
}

/** The strings that a test, or somebody with curl, pulls: faults, and what is there. No bucket has this name. */
export function controlAnswer(
  message: Pick<IncomingMessage, 'method' | 'url'>,
  body: Buffer,
  { buckets, faults, log }: { buckets: Buckets; faults: S3Faults; log: readonly S3LogLine[] },
): S3Answer {
  const call = `${message.method} ${message.url?.split('?')[0]}`;
  if (call === 'GET /sandbox/faults') return json(200, { waiting: faults.waiting(), met: faults.met() });
  if (call === 'POST /sandbox/faults') {
    try {
      faults.add(JSON.parse(body.toString()));
      return json(201, { waiting: faults.waiting() });
    } catch (error) {
      return json(400, { error: error instanceof z.ZodError ? z.prettifyError(error) : String(error) });
    }
  }
  if (call === 'DELETE /sandbox/faults') {
    faults.clear();
    return json(200, { waiting: [] });
  }
  if (call === 'GET /sandbox/log') return json(200, { calls: log });
  if (call === 'GET /sandbox/uploads') return json(200, { uploads: buckets.openUploads() });
  if (call === 'GET /sandbox/objects')
    return json(200, {
      objects: buckets
        .names()
        .flatMap((bucket) => buckets.sorted(bucket).map(({ key, bytes, etag }) => ({ bucket, key, bytes, etag }))),
    });
  return json(404, { error: `there is no ${call}` });
}

const json = (status: number, body: unknown): S3Answer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
