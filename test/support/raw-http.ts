import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  status: number;
  /** As they came, one entry for each line. */
  headers: { name: string; value: string }[];
  body: string;
}

export async function openSocket(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  return socket;
}

/** Sends these bytes and reads until the server ends the connection. */
export async function speakRaw(url: string, request: string): Promise<RawAnswer> {
  const socket = await openSocket(url);
  socket.write(request);
  return parseAnswer(await readToEnd(socket));
}

/** Sends a request by its head, and reads its answer. */
export function askRaw(url: string, ...head: string[]): Promise<RawAnswer> {
  return speakRaw(url, `${[...head, 'connection: close'].join('\r\n')}\r\n\r\n`);
}

export async function readToEnd(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

export function parseAnswer(text: string): RawAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return { name: line.slice(0, colon).toLowerCase(), value: line.slice(colon + 1).trim() };
  });
  return { status: Number(first.split(' ')[1]), headers, body: rest.join('\r\n\r\n') };
}

export function headerOf({ headers }: RawAnswer, name: string): string | undefined {
  return headers.find((header) => header.name === name)?.value;
}
