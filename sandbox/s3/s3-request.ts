import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { S3Refusal } from './s3-refusal.ts';

/** A request before anybody believes it. */
export interface S3Request {
  method: string;
  /** Encoded, as it stood on the request line. */
  path: string;
  query: [name: string, value: string][];
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export function readRequestLine(message: IncomingMessage): Omit<S3Request, 'body'> {
  const [path = '/', search = ''] = (message.url ?? '/').split(/\?(.*)/s);
  const query = search
    .split('&')
    .filter(Boolean)
    .map((pair): [string, string] => {
      const [name = '', value = ''] = pair.split(/=(.*)/s);
      return [decoded(name), decoded(value)];
    });
  return { method: message.method ?? 'GET', path, query, headers: message.headers };
}

export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Refusal(400, 'InvalidURI', "Couldn't parse the specified URI.");
  }
}

export const headerOf = (request: Pick<S3Request, 'headers'>, name: string): string | null => {
  const value = request.headers[name];
  return value === undefined ? null : String(value).trim();
};
export const queryOf = (request: Pick<S3Request, 'query'>, name: string): string | null =>
  request.query.find(([one]) => one === name)?.[1] ?? null;

export const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
export const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest();
