import { once } from 'node:events';
import { createServer, type Server as HttpServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { keepInMemory } from './accounts/session-file.ts';
import { SignIn } from './accounts/sign-in.ts';
import type { Server } from './api-client.ts';
import { followEvents, type StreamOptions } from './event-stream.ts';
import { UnreachableError } from './failures.ts';
import { RefusedError } from './problem.ts';

let listening: HttpServer | undefined;
const stop = new AbortController();
afterEach(() => {
  listening?.closeAllConnections();
  listening?.close();
});

/** A server whose every connection plays its turn: the stream's own troubles, made at the wire. */
async function serve(...turns: ((response: ServerResponse) => void)[]) {
  const lastEventIds: (string | undefined)[] = [];
  listening = createServer((request, response) => {
    lastEventIds.push(request.headers['last-event-id'] as string | undefined);
    (turns[lastEventIds.length - 1] ?? turns.at(-1))?.(response);
  });
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const { port } = listening.address() as AddressInfo; // TCP, so it is one
  const server: Server = {
    url: new URL(`http://127.0.0.1:${port}`),
    user: null,
    tokens: new SignIn(keepInMemory()),
    env: {},
    signal: stop.signal,
    patience: { overloadedMs: 0, unreachableMs: 0 },
  };
  return { server, lastEventIds };
}

const events =
  (...texts: string[]) =>
  (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const text of texts) response.write(text);
  };
const thenBreak = (turn: (response: ServerResponse) => void) => (response: ServerResponse) => {
  turn(response);
  setImmediate(() => response.destroy());
};

async function take(server: Server, count: number, options: Partial<StreamOptions> = {}) {
  const taken: string[] = [];
  for await (const { data } of followEvents(server, { path: '/stream', ...options })) {
    taken.push(data);
    if (taken.length === count) break;
  }
  return taken;
}

it('goes on after the last whole event when the connection breaks', async () => {
  const trouble: (string | undefined)[] = [];
  const { server, lastEventIds } = await serve(
    thenBreak(events('retry: 10\n\nid: 5\ndata: a\n\n', 'id: 6\ndata: half')),
    events('id: 6\ndata: b\n\n'),
  );
  expect(await take(server, 2, { onTrouble: (reason) => trouble.push(reason) })).toEqual(['a', 'b']);
  expect(lastEventIds).toEqual([undefined, '5']);
  expect(trouble).toHaveLength(2);
  expect(trouble[1]).toBeUndefined();
});

it('bears with a server that is starting again', async () => {
  const unavailable = (response: ServerResponse) => response.writeHead(503).end();
  const { server } = await serve(thenBreak(events('retry: 10\ndata: a\n\n')), unavailable, events('data: b\n\n'));
  expect(await take(server, 2)).toEqual(['a', 'b']);
});

it('gives up a connection that is silent for longer than heartbeats are apart', async () => {
  const { server, lastEventIds } = await serve(events('retry: 10\nid: 1\ndata: a\n\n'), events('data: b\n\n'));
  expect(await take(server, 2, { silenceMs: 50 })).toEqual(['a', 'b']);
  expect(lastEventIds).toEqual([undefined, '1']);
});

it('fails when there is no server at first, or it refuses', async () => {
  const { server } = await serve((response) => response.writeHead(404).end('{"code":"route_not_found"}'));
  await expect(take(server, 1)).rejects.toThrow(RefusedError);
  listening?.closeAllConnections();
  listening?.close();
  await once(listening as HttpServer, 'close');
  await expect(take(server, 1)).rejects.toThrow(UnreachableError);
});
