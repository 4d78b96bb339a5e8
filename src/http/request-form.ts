import type { IncomingMessage } from 'node:http';

const maxUrlLength = 4_096;
const maxHeaders = 100;
/** Of two, we would heed the first, and a proxy in front perhaps the second. */
const singleHeaders = new Set(['authorization', 'content-type', 'host', 'idempotency-key', 'last-event-id']);

/** What is HTTP, and yet nothing that a client in good faith sends. */
export class RequestFormError extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.name = 'RequestFormError';
    this.statusCode = statusCode;
  }
}

export function assertRequestForm({ url = '', rawHeaders, headers, httpVersion }: IncomingMessage): void {
  if (url.length > maxUrlLength) throw new RequestFormError(414, `The URL is longer than ${maxUrlLength} characters.`);
  if (rawHeaders.length > 2 * maxHeaders)
    throw new RequestFormError(431, `The request has more than ${maxHeaders} headers.`);
  if (headers.host === undefined && httpVersion === '1.1')
    throw new RequestFormError(400, 'The request has no Host header.');
  let seen: string[] | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    if (!singleHeaders.has(name)) continue;
    if (seen?.includes(name)) throw new RequestFormError(400, `The request has the header ${name} twice.`);
    seen ??= [];
    seen.push(name);
  }
}
