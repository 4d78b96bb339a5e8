import { once } from 'node:events';
import { createServer, type Server as HttpServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type ApiRequest, askFor, callApi, type Server } from './api-client.ts';
import { ConnectionLostError, InterruptedError, UnreachableError } from './failures.ts';
import { RefusedError } from './problem.ts';

let listening: HttpServer | undefined;
afterEach(() => {
  listening?.closeAllConnections();
  listening?.close();
});

/** What a network and a server in trouble do, at the wire; the real server has its own tests. */
async function serve(...turns: RequestListener[]) {
  const seen: { key: string | undefined; headers: IncomingMessage['headers'] }[] = [];
  listening = createServer((request, response) => {
    seen.push({ key: request.headers['idempotency-key'] as string | undefined, headers: request.headers });
    (turns[seen.length - 1] ?? turns.at(-1))?.(request, response);
  });
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const { port } = listening.address() as AddressInfo; // TCP, so it is one
  return { server: serverAt(`http://127.0.0.1:${port}`), seen };
}

function serverAt(url: string, changes: Partial<Server> = {}): Server {
  return {
    url: new URL(url),
    user: 'normal@twolane.test',
    tokens: { current: async () => 'token-1', renew: async () => 'token-2' },
    env: {},
    signal: new AbortController().signal,
    patience: { overloadedMs: 5_000, unreachableMs: 0 },
    ...changes,
  };
}

const drop: RequestListener = (request) => request.socket.destroy();
const answer =
  (status: number, body: unknown, headers: Record<string, string> = {}): RequestListener =>
  (_, response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
const overloaded = answer(503, { title: 'Too much', code: 'intake_overloaded' }, { 'retry-after': '0' });
const place: ApiRequest = { method: 'POST', path: '/v1/orders', body: {}, idempotencyKey: 'key-1' };

describe('callApi', () => {
  it('repeats an order with the same key when the connection breaks before the answer', async () => {
    const { server, seen } = await serve(drop, drop, answer(200, { order: 1 }));
    expect(await callApi(server, place)).toMatchObject({ status: 200, body: { order: 1 }, wasLostBefore: true });
    expect(seen.map(({ key }) => key)).toEqual(['key-1', 'key-1', 'key-1']);
  });

  it('repeats nothing that may not happen twice', async () => {
    const { server, seen } = await serve(drop);
    await expect(callApi(server, { method: 'DELETE', path: '/v1/bots/newest' })).rejects.toThrow(ConnectionLostError);
    expect(seen).toHaveLength(1);
  });

  it('waits as the server asks when it is overloaded, and gives up when that is too long', async () => {
    const { server, seen } = await serve(overloaded, overloaded, answer(201, {}));
    expect(await callApi(server, place)).toMatchObject({ status: 201, wasLostBefore: false });
    expect(seen).toHaveLength(3);
    const patience = { overloadedMs: 10, unreachableMs: 0 };
    const busy = await serve(overloaded);
    await expect(callApi({ ...busy.server, patience }, place)).rejects.toMatchObject({ code: 'intake_overloaded' });
  });

  it('says the code, the fields and what to do when it is refused', async () => {
    const problem = {
      title: 'Bad input',
      code: 'input_invalid',
      errors: [{ path: 'items.0.quantity', message: 'too small' }],
    };
    const { server } = await serve(answer(400, problem));
    const failure = await callApi(server, place).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RefusedError);
    expect(failure).toMatchObject({
      message: 'Bad input',
      exitCode: 1,
      hints: ['input_invalid (400)', 'items.0.quantity: too small'],
    });
  });

  it('tells a server that is not there from one that went away', async () => {
    const { server } = await serve(answer(200, {}));
    listening?.close();
    const failure = await callApi(server, place).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UnreachableError);
    expect(failure).toMatchObject({ exitCode: 3, message: expect.stringContaining(server.url.origin) });
  });

  it('waits as long as it is told when these are too many requests', async () => {
    const limited = answer(429, { title: 'Too many', code: 'rate_limited' }, { 'retry-after': '0' });
    const { server, seen } = await serve(limited, answer(201, {}));
    expect(await callApi(server, { method: 'POST', path: '/v1/bots' })).toMatchObject({ status: 201 });
    expect(seen).toHaveLength(2);
    const patience = { overloadedMs: 1_000, unreachableMs: 0 };
    const later = await serve(answer(429, { code: 'rate_limited' }, { 'retry-after': '60' }));
    await expect(callApi({ ...later.server, patience }, place)).rejects.toMatchObject({ code: 'rate_limited' });
    expect(later.seen).toHaveLength(1);
  });

  it('asks once more with a new token when the old one is not believed, and not for ever', async () => {
    const unauthenticated = answer(401, { title: 'Unauthenticated', code: 'unauthenticated' });
    const { server, seen } = await serve(unauthenticated, answer(200, {}));
    let token = 'token-1';
    const tokens = {
      current: async () => token,
      renew: async (_server: Server, user: string, refused: string) => {
        token = `new after ${refused} for ${user}`;
        return token;
      },
    };
    await callApi({ ...server, tokens }, { method: 'DELETE', path: '/v1/bots/newest' });
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer token-1',
      'Bearer new after token-1 for normal@twolane.test',
    ]);
    const never = await serve(unauthenticated);
    await expect(callApi(never.server, place)).rejects.toMatchObject({ code: 'unauthenticated', exitCode: 1 });
    expect(never.seen).toHaveLength(2);
  });

  it('shows a token only where one is wanted', async () => {
    const { server, seen } = await serve(answer(200, {}));
    await callApi(server, { method: 'GET', path: '/v1/board', as: 'nobody' });
    await callApi({ ...server, user: null }, { method: 'GET', path: '/v1/board' });
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
  });

  it('stops at once when it is told to', async () => {
    const stop = new AbortController();
    const { server } = await serve(() => stop.abort());
    await expect(callApi({ ...server, signal: stop.signal }, place)).rejects.toThrow(InterruptedError);
  });

  it('sends the demo’s password to this machine alone', async () => {
    const { server, seen } = await serve(answer(200, {}));
    await callApi(server, { method: 'GET', path: '/v1/admin/queues', as: 'admin' });
    const basic = (credentials: string) => `Basic ${Buffer.from(credentials).toString('base64')}`;
    expect(seen[0]?.headers.authorization).toBe(basic('admin:twolane-demo'));
    await callApi(
      { ...server, env: { ADMIN_USERNAME: 'chef', ADMIN_PASSWORD: 'secret-1' } },
      { method: 'GET', path: '/', as: 'admin' },
    );
    expect(seen[1]?.headers.authorization).toBe(basic('chef:secret-1'));
    const elsewhere = serverAt('http://shop.example');
    await expect(callApi(elsewhere, { method: 'GET', path: '/', as: 'admin' })).rejects.toMatchObject({ exitCode: 2 });
  });
});

it('notices that it is not speaking to a twolane server', async () => {
  const { server } = await serve((_, response) => response.end('<html>hello</html>'));
  const asked = askFor(server, { method: 'GET', path: '/v1/bots' }, z.object({ bots: z.array(z.unknown()) }));
  await expect(asked).rejects.toThrow(/did not answer GET \/v1\/bots as a twolane server/);
});
