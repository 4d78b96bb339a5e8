import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface WireRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface WireAnswer {
  status?: number;
  headers?: Record<string, string>;
  /** An object goes as JSON. */
  body?: string | Buffer | object;
}

/** `hang` never answers, `trickle` never ends its answer, `reset` breaks the connection. */
export type WireReply = WireAnswer | 'hang' | 'trickle' | 'reset';

export interface WireServer {
  url: string;
  /** All that came in, in order. */
  requests: WireRequest[];
  /** What is answered from here on. */
  answer: (request: WireRequest) => WireReply | Promise<WireReply>;
  close(): Promise<void>;
}

/** A server that answers what a test wants, for answers that no sandbox gives. */
export async function startWireServer(answer: WireServer['answer']): Promise<WireServer> {
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const url = new URL(request.url ?? '/', wire.url);
    const received: WireRequest = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: Buffer.concat(chunks),
    };
    wire.requests.push(received);
    const given = await wire.answer(received);
    if (given === 'hang') return;
    if (given === 'trickle') return trickle(response);
    if (given === 'reset') return void request.socket.destroy();
    const { status = 200, headers = {}, body = '' } = given;
    const isJson = typeof body === 'object' && !Buffer.isBuffer(body);
    response.writeHead(status, { ...(isJson && { 'content-type': 'application/json' }), ...headers });
    response.end(isJson ? JSON.stringify(body) : body);
  };
  const server = createServer((request, response) => {
    handle(request, response).catch((error: Error) => response.destroy(error));
  });
  const wire: WireServer = {
    url: '',
    requests: [],
    answer,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // `address()` is an AddressInfo once a TCP server listens.
  wire.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return wire;
}

/** Never idle, so that a time-out of idleness alone does not help. */
function trickle(response: ServerResponse): void {
  const timer = setInterval(() => response.write(' '), 20);
  response.on('close', () => clearInterval(timer));
}
