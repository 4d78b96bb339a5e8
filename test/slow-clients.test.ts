import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Engine, startEngine } from './support/engine.ts';
import { openSocket, parseAnswer, readToEnd } from './support/raw-http.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine('postgres', { roles: [] });
});
afterAll(() => engine.close());

/** Sends a byte every now and then, for ever: as slow as can be without a pause that anybody would notice. */
function trickle(socket: Socket, bytes: string): void {
  let at = 0;
  const timer = setInterval(() => socket.write(bytes[at++ % bytes.length] ?? 'x'), 250);
  socket.on('close', () => clearInterval(timer));
  socket.on('error', () => undefined); // it is ended while we write
}

async function trickleUntilEnded(start: string, bytes: string) {
  const socket = await openSocket(engine.web.url);
  const opened = performance.now();
  socket.write(start);
  trickle(socket, bytes);
  const answer = parseAnswer(await readToEnd(socket).catch(() => ''));
  return { answer, seconds: (performance.now() - opened) / 1_000 };
}

it.concurrent('ends who sends headers a byte at a time', async () => {
  const { answer, seconds } = await trickleUntilEnded('GET /v1/products HTTP/1.1\r\nhost: x\r\n', 'x-slow: 1\r\n');
  expect(seconds).toBeLessThan(15);
  expect(answer.status).toBe(408);
  expect(JSON.parse(answer.body)).toMatchObject({ status: 408, code: 'request_timeout' });
});

it.concurrent('ends who connects and says nothing', async () => {
  const socket = await openSocket(engine.web.url);
  const opened = performance.now();
  socket.resume();
  await once(socket, 'close');
  expect(performance.now() - opened).toBeLessThan(15_000);
});

it.concurrent('ends who sends a body a byte at a time, and not who reads the board all the while', {
  timeout: 40_000,
}, async () => {
  const stream = await fetch(`${engine.web.url}/v1/board/stream`);
  const head =
    'POST /v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n';
  const { answer, seconds } = await trickleUntilEnded(head, ' ');
  expect(seconds).toBeLessThan(26);
  expect(answer.status).toBe(408);
  expect(JSON.parse(answer.body)).toMatchObject({ status: 408, code: 'request_timeout' });

  const { number } = await engine.api.place();
  let seen = '';
  for await (const text of stream.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    seen += text;
    if (seen.includes(`"number":${number}`)) return;
  }
  throw new Error('the stream ended');
});
