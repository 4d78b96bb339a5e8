import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AccessTokens, createAccessTokens } from '../accounts/access-tokens.ts';
import type { Actor } from '../domain/user.ts';
import { guardRoutes, markRoutes } from './access.ts';
import { sendProblem } from './problem.ts';

const actor: Actor = { userId: '00000000-0000-4000-8000-000000000001', email: 'a@example.com', role: 'NORMAL' };
const reply = async () => ({ isOpen: true });

let app: FastifyInstance;
let tokens: AccessTokens;
beforeEach(() => {
  const secret = 'a secret of the tests that is long enough';
  tokens = createAccessTokens({
    secrets: [secret],
    issuer: 'twolane',
    audience: 'twolane',
    accessTokenMs: 60_000,
    refreshTokenMs: 60_000,
  });
  app = Fastify();
  app.setErrorHandler(sendProblem);
  guardRoutes(app, {
    tokens,
    sessions: { find: () => actor },
    admin: null,
    adminGuesses: { judge: async (_address, compare) => compare() },
  });
});
afterEach(() => app.close());

describe('the guard of the routes', () => {
  it('does not let a server start that has a route without a word on who gets in', async () => {
    app.get('/open', { config: { access: 'public' } }, reply);
    app.get('/forgotten', reply);
    app.post('/forgotten/too', { config: {} }, reply);
    await expect(app.ready()).rejects.toThrow(/who gets in.*GET \/forgotten.*POST \/forgotten\/too/);
  });

  it('starts where every route says it, or the plugin that brings it', async () => {
    app.get('/open', { config: { access: 'public' } }, reply);
    await app.register(async (scope) => {
      markRoutes(scope, 'admin');
      scope.get('/marked', reply);
      scope.get('/own', { config: { access: 'public' } }, reply);
    });
    await app.ready();
    expect((await app.inject('/open')).statusCode).toBe(200);
    expect((await app.inject('/marked')).statusCode).toBe(401);
    expect((await app.inject('/own')).statusCode).toBe(200);
  });

  it('takes a token that follows Bearer, and nothing before it', async () => {
    app.get('/mine', { config: { access: 'account:read' } }, reply);
    const token = tokens.sign({ userId: actor.userId, sessionId: '00000000-0000-4000-8000-000000000002' });
    const statusOf = async (authorization: string) =>
      (await app.inject({ url: '/mine', headers: { authorization } })).statusCode;
    for (const right of [`Bearer ${token}`, `bearer   ${token}`]) expect(await statusOf(right), right).toBe(200);
    for (const wrong of [
      token,
      `x Bearer ${token}`,
      `Basic eDp5, Bearer ${token}`,
      `XBearer ${token}`,
      `Bearer${token}`,
    ])
      expect(await statusOf(wrong), wrong).toBe(401);
  });
});
