import { once } from 'node:events';
import { createServer, type Server as HttpServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import type { Server } from '../api-client.ts';
import { keepInMemory, type Session, type SessionStore } from './session-file.ts';
import { SignIn } from './sign-in.ts';

let listening: HttpServer | undefined;
afterEach(() => {
  listening?.closeAllConnections();
  listening?.close();
});

/** Counts what a server is asked; the real one has its own tests. */
async function serve(respond: RequestListener): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  listening = createServer((request, response) => {
    asked.push(request.url ?? '');
    respond(request, response);
  });
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  return { url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}`, asked }; // TCP, so it is one
}

let issued = 0;
const giveTokens: RequestListener = (_, response) => {
  issued += 1;
  const user = {
    id: '01a20294-2829-7444-9520-6614e4cd4093',
    email: 'mara@shop.example',
    displayName: 'Mara',
    role: 'MANAGER',
    createdAt: '2026-03-07T08:00:00.000Z',
  };
  const tokens = {
    accessToken: `access-${issued}`,
    refreshToken: `refresh-${issued}`,
    tokenType: 'Bearer',
    expiresIn: 900,
  };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ ...tokens, user }));
};
const refuse: RequestListener = (_, response) =>
  response.writeHead(401, { 'content-type': 'application/json' }).end('{"code":"refresh_token_reused"}');

function serverAt(url: string, tokens: SignIn): Server {
  const signal = new AbortController().signal;
  return { url: new URL(url), user: null, tokens, env: {}, signal, patience: { overloadedMs: 0, unreachableMs: 0 } };
}

async function storeWith(session: Partial<Session> & { server: string }): Promise<SessionStore> {
  const store = keepInMemory();
  const old = { email: 'mara@shop.example', accessToken: 'old', renewAtMs: 0, refreshToken: 'old', isAutomatic: false };
  await store.change(() => [{ ...old, ...session }]);
  return store;
}

it('sends the sample password to this machine alone', async () => {
  const signIn = new SignIn(keepInMemory());
  const elsewhere = serverAt('http://shop.example', signIn);
  await expect(signIn.current(elsewhere, 'manager@twolane.test')).rejects.toMatchObject({
    message: 'manager@twolane.test is not signed in at http://shop.example',
    hints: ['sign in with `twolane login manager@twolane.test`'],
  });
});

it('tries it for no other account', async () => {
  const { url, asked } = await serve(giveTokens);
  const signIn = new SignIn(keepInMemory());
  await expect(signIn.current(serverAt(url, signIn), 'mara@shop.example')).rejects.toThrow(/is not signed in/);
  expect(asked).toEqual([]);
});

it('renews a token once for all who want it at the same moment', async () => {
  const { url, asked } = await serve(giveTokens);
  const store = await storeWith({ server: url });
  const signIn = new SignIn(store);
  const server = serverAt(url, signIn);
  const tokens = await Promise.all(Array.from({ length: 5 }, () => signIn.current(server, 'Mara@shop.example')));
  expect(new Set(tokens).size).toBe(1);
  expect(await signIn.current(server, 'mara@shop.example')).toBe(tokens[0]);
  expect(asked).toEqual(['/v1/auth/refresh']);
  expect(await store.read()).toMatchObject([{ accessToken: tokens[0], isAutomatic: false }]);
});

it('takes what another command has renewed since, and never uses a refresh token that is old by now', async () => {
  const { url, asked } = await serve(giveTokens);
  const store = await storeWith({ server: url, renewAtMs: Date.now() + 60_000 });
  const signIn = new SignIn(store);
  const server = serverAt(url, signIn);
  expect(await signIn.current(server, 'mara@shop.example')).toBe('old');
  await store.change(([session]) => [{ ...session!, accessToken: 'by another', refreshToken: 'by another' }]);
  expect(await signIn.renew(server, 'mara@shop.example', 'old')).toBe('by another');
  expect(asked).toEqual([]);
});

it('forgets a session that has ended, unless another command has renewed it meanwhile', async () => {
  const { url } = await serve(refuse);
  const store = await storeWith({ server: url });
  const signIn = new SignIn(store);
  await expect(signIn.current(serverAt(url, signIn), 'mara@shop.example')).rejects.toThrow(/not signed in any more/);
  expect(await store.read()).toEqual([]);

  const raced: SessionStore = await storeWith({ server: url });
  listening?.removeAllListeners('request');
  listening?.on('request', (request, response) => {
    void raced.change(([session]) => [{ ...session!, accessToken: 'won', refreshToken: 'won' }]);
    refuse(request, response);
  });
  const second = new SignIn(raced);
  expect(await second.current(serverAt(url, second), 'mara@shop.example')).toBe('won');
});

it('keeps a session when it is the server that is in trouble', async () => {
  const { url } = await serve((_, response) => response.writeHead(503).end());
  const store = await storeWith({ server: url });
  const signIn = new SignIn(store);
  await expect(signIn.current(serverAt(url, signIn), 'mara@shop.example')).rejects.toMatchObject({ status: 503 });
  expect(await store.read()).toHaveLength(1);
});
