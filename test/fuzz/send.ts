import { Agent, request as sendRequest } from 'node:http';
import type { SeenAnswer } from '../support/contract.ts';
import type { FuzzRequest } from './requests.ts';
import type { Scene } from './scene.ts';
import { rawPrefix } from './values.ts';

/** A request as it goes over the wire. */
export interface SentRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | undefined;
}

export function writeRequest(request: FuzzRequest, { accounts, resolve }: Scene): SentRequest {
  const { route, params, query, body, contentType } = request;
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => encode(resolve(params[name])));
  const search = Object.entries(query)
    .map(([name, value]) => `${encode(name)}=${encode(resolve(value))}`)
    .join('&');
  const text = body && ('text' in body ? body.text : JSON.stringify(resolve(body.value)));
  return {
    method: request.method,
    path: search ? `${path}?${search}` : path,
    headers: {
      ...accounts.headersOf(request.caller),
      ...(contentType !== null && { 'content-type': contentType }),
      ...(text !== undefined && { 'content-length': String(Buffer.byteLength(text)) }),
      ...Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, inHeader(value)])),
    },
    body: text,
  };
}

/** Without what the client would not send. */
const inHeader = (value: string) => value.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '?');

function encode(value: unknown): string {
  if (typeof value === 'string' && value.startsWith(rawPrefix)) return value.slice(rawPrefix.length);
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return encodeURIComponent(text.slice(0, 2_000).toWellFormed());
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** Sends by Node's own client, which changes less on the way than `fetch` does. Of a stream, only the head is read. */
export function send(baseUrl: string, { method, path, headers, body }: SentRequest): Promise<SeenAnswer> {
  return new Promise((resolve, reject) => {
    const sent = sendRequest(new URL(baseUrl), { method, path, headers, agent, timeout: 30_000 }, (response) => {
      const seen = {
        method,
        path,
        status: response.statusCode ?? 0,
        headers: new Headers(response.headersDistinct as never),
      };
      if (seen.headers.get('content-type')?.startsWith('text/event-stream')) {
        resolve({ ...seen, text: '' });
        response.destroy();
        return;
      }
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ ...seen, text }));
      response.on('error', reject);
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer within 30 s')));
    sent.on('error', reject);
    sent.end(body);
  });
}

/** To be repeated by hand, while its accounts are there. */
export function curlText(baseUrl: string, { method, path, headers, body }: SentRequest): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  return [
    `curl -i -X ${method} ${quoted(new URL(baseUrl).origin + path)}`,
    ...Object.entries(headers)
      .filter(([name]) => name !== 'content-length')
      .map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    ...(body === undefined ? [] : [`--data-binary ${quoted(body)}`]),
  ].join(' ');
}
