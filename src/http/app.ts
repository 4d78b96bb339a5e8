import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { validatorCompiler } from 'fastify-type-provider-zod';
import { createAdminGuesses } from '../operations/admin-guesses.ts';
import { guardRoutes } from './access.ts';
import type { AppDeps } from './app-deps.ts';
import { sendConnectionProblem } from './connection-problem.ts';
import { openFrontDoor } from './front-door.ts';
import { measure } from './metrics.ts';
import { registerDocument } from './openapi/document.ts';
import { sendProblem, sendRouteNotFound } from './problem.ts';
import { adminRoutes } from './routes/admin.ts';
import { auditRoutes } from './routes/audit.ts';
import { authRoutes } from './routes/auth.ts';
import { backupPageRoutes } from './routes/backup-page.ts';
import { backupRoutes } from './routes/backups.ts';
import { boardRoutes, boardStreamPath } from './routes/board.ts';
import { botRoutes } from './routes/bots.ts';
import { checkoutPageRoutes } from './routes/checkout-pages.ts';
import { devMailRoutes } from './routes/dev-mail.ts';
import { docsRoutes } from './routes/docs.ts';
import { fileRoutes } from './routes/files.ts';
import { healthRoutes } from './routes/health.ts';
import { mediaRoutes } from './routes/media.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { orderPaymentRoutes } from './routes/order-payments.ts';
import { orderReceiptRoutes } from './routes/order-receipt.ts';
import { orderRoutes } from './routes/orders.ts';
import { pageRoutes } from './routes/pages.ts';
import { passwordRoutes } from './routes/passwords.ts';
import { productRoutes } from './routes/products.ts';
import { quarantineRoutes } from './routes/quarantine.ts';
import { queueBoardRoutes } from './routes/queue-board.ts';
import { reconciliationRoutes } from './routes/reconciliation.ts';
import { robotRoutes } from './routes/robots.ts';
import { unsubscribeRoutes } from './routes/unsubscribe.ts';
import { userRoutes } from './routes/users.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { serializerCompiler } from './serialize.ts';
import { serverOptions } from './server-options.ts';

/** Longer than any wait below it: the group commit gives up on a lost database after seconds. */
const handlerTimeoutMs = 25_000;

/** The whole HTTP side, apart from listening. */
export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: deps.log,
    logController: new LogController({ disableRequestLogging: true }), // one line of our own per request, below
    ...serverOptions(deps.config),
    ajv: { customOptions: { coerceTypes: false } },
    // It gives requests of a route that is not known, which it types apart, and runs no hooks for them.
    frameworkErrors: ((error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      frontDoor.answerHeaders(request, reply);
      return sendProblem(error, request, reply);
    }) as never,
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
  const frontDoor = await openFrontDoor(app, deps);
  const notFoundHooks = deps.config.limits.requestsPerMinute > 0 ? { preHandler: app.rateLimit() } : {};
  app.setNotFoundHandler(notFoundHooks, sendRouteNotFound);
  const adminGuesses = createAdminGuesses({ pool: deps.database.pool, log: deps.log });
  guardRoutes(app, { tokens: deps.tokens, sessions: deps.sessions, admin: deps.config.admin, adminGuesses });
  await registerDocument(app);
  const metrics = measure(app, deps);
  await app.register(async (scope) => metricsRoutes(scope, metrics));
  for (const routes of [
    healthRoutes,
    authRoutes,
    userRoutes,
    passwordRoutes,
    productRoutes,
    mediaRoutes,
    fileRoutes,
    orderRoutes,
    orderPaymentRoutes,
    orderReceiptRoutes,
    unsubscribeRoutes,
    webhookRoutes,
    checkoutPageRoutes,
    botRoutes,
    robotRoutes,
    boardRoutes,
    adminRoutes,
    auditRoutes,
    reconciliationRoutes,
    quarantineRoutes,
    backupRoutes,
    backupPageRoutes,
    queueBoardRoutes,
    devMailRoutes,
    docsRoutes,
    pageRoutes,
  ])
    await app.register(async (scope) => routes(scope, deps));
  return app;
}
