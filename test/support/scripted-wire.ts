import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

/** A server that answers whatever a test says, however broken: for what no stand-in does by itself. */
export interface ScriptedWire {
  readonly url: string;
  readonly requests: readonly IncomingMessage[];
  answer: Answer;
  answerWith(status: number, body: unknown, headers?: Record<string, string>): void;
  /** From here on, nobody listens at its address. */
  close(): Promise<void>;
}

export async function openScriptedWire(tls?: { key: string; cert: string }): Promise<ScriptedWire> {
  const requests: IncomingMessage[] = [];
  const listener: RequestListener = (request, response) => {
    request.resume().on('end', () => {
      requests.push(request);
      wire.answer(request, response);
    });
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo; // it listens on a port
  const wire: ScriptedWire = {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    requests,
    answer: () => {},
    answerWith(status, body, headers = {}) {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      this.answer = (_request, response) => response.writeHead(status, headers).end(text);
    },
    async close() {
      if (!server.listening) return;
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
  return wire;
}
