import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';

export interface ReceivedEvent {
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Takes events as an engine would, for the tests of who sends them. */
export class WebhookReceiver {
  readonly received: ReceivedEvent[] = [];
  /** What the next deliveries are answered with, one by one; 200 after that. */
  readonly answers: number[] = [];
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      this.received.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) });
      response.writeHead(this.answers.shift() ?? 200).end();
      for (const wake of this.#waiting.splice(0)) wake();
    });
  });
  readonly #waiting: (() => void)[] = [];

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
    return `http://127.0.0.1:${address.port}`;
  }

  types(): string[] {
    return this.received.map(({ body }) => String(JSON.parse(body.toString()).type));
  }

  /** Until at least so many have come. */
  async have(count: number): Promise<void> {
    while (this.received.length < count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      await promise;
    }
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
