import Fastify, { type FastifyInstance, LogController } from 'fastify';
import { validatorCompiler } from 'fastify-type-provider-zod';
import type { AppDeps } from './app-deps.ts';
import { sendConnectionProblem, sendProblem, sendRouteNotFound } from './problem.ts';
import { adminRoutes } from './routes/admin.ts';
import { boardRoutes, boardStreamPath } from './routes/board.ts';
import { botRoutes } from './routes/bots.ts';
import { healthRoutes } from './routes/health.ts';
import { orderRoutes } from './routes/orders.ts';
import { pageRoutes } from './routes/pages.ts';
import { productRoutes } from './routes/products.ts';
import { queueBoardRoutes } from './routes/queue-board.ts';
import { serializerCompiler } from './serialize.ts';

/** Longer than any wait below it: the group commit gives up on a lost database after seconds. */
const handlerTimeoutMs = 25_000;

/** The whole HTTP side, apart from listening. */
export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: deps.log,
    logController: new LogController({ disableRequestLogging: true }), // one line of our own per request, below
    bodyLimit: 256 * 1024,
    routerOptions: { maxParamLength: 100 },
    requestTimeout: 30_000,
    connectionTimeout: 0,
    keepAliveTimeout: 65_000,
    requestIdHeader: 'x-request-id',
    forceCloseConnections: true,
    ajv: { customOptions: { coerceTypes: false } },
    frameworkErrors: sendProblem as never, // it gives requests of a route that is not known, which it types apart
    clientErrorHandler: sendConnectionProblem,
  });
  app.addHook('onRoute', (route) => {
    // Whatever is away, nobody waits for ever; a stream has no end, and a route may say its own.
    if (route.url !== boardStreamPath) route.handlerTimeout ??= handlerTimeoutMs;
  });
  app.removeContentTypeParser('text/plain'); // JSON in and out; anything else is a 415
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler as never);
  app.setErrorHandler(sendProblem);
  app.setNotFoundHandler(sendRouteNotFound);
  app.addHook('onResponse', async (request, reply) => {
    const line = {
      method: request.method,
      route: request.routeOptions.url,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
    };
    if (reply.statusCode >= 500) request.log.error(line, 'request failed');
    else if (reply.statusCode >= 400) request.log.info(line, 'request refused');
    else request.log.debug(line, 'request answered');
  });
  for (const routes of [
    healthRoutes,
    productRoutes,
    orderRoutes,
    botRoutes,
    boardRoutes,
    adminRoutes,
    queueBoardRoutes,
    pageRoutes,
  ])
    await app.register(async (scope) => routes(scope, deps));
  return app;
}
