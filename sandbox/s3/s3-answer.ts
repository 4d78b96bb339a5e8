import type { KeptObject } from './buckets.ts';
import { type Node, writeXml } from './xml.ts';

export interface S3Answer {
  status: number;
  headers: Record<string, string>;
  /** A document, or a stretch of an object. */
  body: string | { object: KeptObject; start: number; end: number } | null;
}

export const empty = (status: number, headers: Record<string, string> = {}): S3Answer => ({
  status,
  headers,
  body: null,
});

export const document = (root: Node, status = 200): S3Answer => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: writeXml(root),
});

export const problem = (status: number, code: string, message: string): S3Answer =>
  document(
    [
      'Error',
      [
        ['Code', code],
        ['Message', message],
        ['RequestId', 'stand-in'],
      ],
    ],
    status,
  );

export const quoted = (etag: string) => `"${etag}"`;
