import cors from '@fastify/cors';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AppDeps } from './app-deps.ts';
import { answerOddRequests } from './connection-problem.ts';
import { refuseOverload } from './overload.ts';
import { limitRates } from './rate-limits.ts';
import { assertRequestForm } from './request-form.ts';
import { readSecurityHeaders } from './security-headers.ts';
import { maxConnections } from './server-options.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** False: no other page may read the answer. */
    cors?: false;
  }
}

const preflightSeconds = 7_200; // the longest that browsers keep it

const allowedHeaders = ['authorization', 'content-type', 'idempotency-key', 'last-event-id'];
const exposedHeaders = [
  ...['location', 'idempotent-replayed', 'retry-after', 'x-request-id'],
  ...['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'],
];

/**
 * What every request passes before the guard looks who sends it. In this order: 1. the headers of every answer, refusals included;
 * 2. CORS, which answers preflights; 3. too much work at once; 4. the form of the request. The rate limit comes after the guard knows.
 */
export async function openFrontDoor(
  app: FastifyInstance,
  { config, redis, log }: Pick<AppDeps, 'config' | 'redis' | 'log'>,
): Promise<{ answerHeaders(request: FastifyRequest, reply: FastifyReply): void }> {
  app.server.maxConnections = maxConnections;
  app.server.once('drop', () => log.warn({ maxConnections }, 'connections refused: too many are open'));
  answerOddRequests(app.server);

  const headers = { ...(await readSecurityHeaders()), 'cache-control': 'no-store' };
  const answerHeaders = (request: FastifyRequest, reply: FastifyReply) => {
    void reply.headers(headers).header('x-request-id', request.id);
    if (request.protocol === 'https') void reply.header('strict-transport-security', 'max-age=31536000');
  };
  app.addHook('onRequest', (request, reply, done) => {
    answerHeaders(request, reply);
    done();
  });

  await allowOrigins(app, config.cors);

  await refuseOverload(app, config.limits.eventLoopDelayMs);

  let isProxyKnown = config.trustProxy !== false;
  app.addHook('onRequest', (request, _reply, done) => {
    assertRequestForm(request.raw);
    if (!isProxyKnown && request.headers['x-forwarded-for'] !== undefined) {
      isProxyKnown = true;
      log.warn(
        'X-Forwarded-For is not believed; if a proxy of yours sent it, all its visitors share one limit: set TRUST_PROXY',
      );
    }
    done();
  });

  await limitRates(app, { config, redis });
  return { answerHeaders };
}

async function allowOrigins(app: FastifyInstance, { origins, credentials }: AppDeps['config']['cors']): Promise<void> {
  if (origins.length === 0) return;
  app.addHook('onRoute', (route) => {
    // The plugin's own route for preflights says nothing of access; pages under /admin/ are for the admin's browser, not for other pages.
    if (route.method === 'OPTIONS') route.config = { ...route.config, access: 'public' };
    if (route.url.startsWith('/admin/')) route.config = { ...route.config, cors: false };
  });
  await app.register(cors, {
    origin: origins.includes('*') ? '*' : origins,
    credentials,
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
    allowedHeaders,
    exposedHeaders,
    maxAge: preflightSeconds,
    strictPreflight: false,
    hideOptionsRoute: true,
  });
}
