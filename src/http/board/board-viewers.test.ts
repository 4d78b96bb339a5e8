import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLog } from '../../log.ts';
import { BoardViewers } from './board-viewers.ts';

let viewers: BoardViewers;
let server: Server;
const sockets: Socket[] = [];

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  viewers = new BoardViewers(createLog('silent', 'test'), { maxViewers: 2 });
  server = createServer((_request, response) => viewers.add(response, 'retry: 1000\n\n'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  vi.useRealTimers();
  viewers.close();
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
  await once(server, 'close');
});

async function openStream(): Promise<Socket> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  sockets.push(socket);
  socket.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
  await readUntil(socket, 'retry: 1000');
  return socket;
}

async function readUntil(socket: Socket, text: string): Promise<void> {
  for (let seen = ''; !seen.includes(text); ) seen += String((await once(socket, 'data'))[0]);
}

describe('viewers', () => {
  it('that do not read are dropped, the others are told everything', async () => {
    const slow = await openStream();
    slow.pause();
    const quick = await openStream();
    let read = 0;
    quick.on('data', (bytes: Buffer) => {
      read += bytes.length;
    });
    const frame = `data: ${'x'.repeat(64 * 1024)}\n\n`;
    let told = 0;
    while (viewers.count === 2 && told < 500 * frame.length) {
      viewers.tell(frame);
      told += frame.length;
      while (read < told) await once(quick, 'data');
    }
    expect(viewers.count).toBe(1);
    const closed = once(slow.resume(), 'close');
    viewers.tell(frame);
    told += frame.length;
    while (read < told) await once(quick, 'data');
    await closed;
    expect(viewers.count).toBe(1);
  });

  it('hear a heartbeat every 10 s', async () => {
    const socket = await openStream();
    vi.advanceTimersByTime(10_000);
    await readUntil(socket, ': heartbeat\n\n');
  });

  it('are forgotten when they go, and refused when there are too many', async () => {
    const [first] = [await openStream(), await openStream()];
    expect(() => viewers.assertRoom()).toThrow(
      expect.objectContaining({ code: 'service_unavailable', retryAfterSeconds: 5 }),
    );
    first.destroy();
    while (viewers.count === 2) await turn();
    viewers.assertRoom();
  });

  it('see their streams end', async () => {
    const socket = await openStream();
    viewers.end();
    await readUntil(socket, '0\r\n\r\n');
    expect(viewers.count).toBe(0);
  });
});
