import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

interface ConnectionProblem {
  status: number;
  code: string;
  detail: string;
}

const lingerMs = 1_000;

const faults: Record<string, ConnectionProblem> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'headers_too_large',
    detail: 'The headers are larger than this server takes.',
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: 413,
    code: 'body_too_large',
    detail: 'The body is larger than this call takes.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, code: 'request_timeout', detail: 'The request did not arrive in time.' },
};
const unreadable: ConnectionProblem = {
  status: 400,
  code: 'input_invalid',
  detail: 'This is not a request of HTTP/1.1.',
};

/** What cannot be read as HTTP, or comes too slowly, is answered on the bare connection. */
export function sendConnectionProblem(error: NodeJS.ErrnoException, socket: Duplex): void {
  // Node's own name for the answer that is under way: nothing can be said in the middle of it.
  const { _httpMessage: answer } = socket as { _httpMessage?: ServerResponse | null };
  if (error.code === 'ECONNRESET' || !socket.writable || answer?.headersSent) {
    socket.destroy();
    return;
  }
  endWith(socket, faults[error.code ?? ''] ?? unreadable);
}

/** What Node answers by itself, without a body or not at all. */
export function answerOddRequests(server: Server): void {
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy());
    endWith(socket, { status: 404, code: 'route_not_found', detail: 'There is no CONNECT: this is no proxy.' });
  });
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const detail = 'Of expectations, only 100-continue can be met.';
    const body = bodyOf({ status: 417, code: 'input_invalid', detail });
    response
      .writeHead(417, {
        'content-type': 'application/problem+json',
        'content-length': Buffer.byteLength(body),
        connection: 'close',
      })
      .end(body);
  });
}

function endWith(socket: Duplex, problem: ConnectionProblem): void {
  const body = bodyOf(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  // Not at once: what has arrived meanwhile would make the end a reset, and the answer lost. Nor never: it need not close its side.
  setTimeout(() => socket.destroy(), lingerMs).unref();
}

function bodyOf({ status, code, detail }: ConnectionProblem): string {
  const title = code.replaceAll('_', ' ').replace(/^./, (first) => first.toUpperCase());
  return JSON.stringify({ type: 'about:blank', title, status, code, detail });
}
