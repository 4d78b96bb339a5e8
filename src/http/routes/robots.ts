import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { maxClaimWaitSeconds, robotLeaseMs } from '../../domain/bot.ts';
import { type Order, orderNumberSchema, orderSchema } from '../../domain/order.ts';
import { textSchema } from '../../domain/text.ts';
import { claimOrder } from '../../operations/claim-order.ts';
import { completeRobotOrder } from '../../operations/complete-robot-order.ts';
import { failRobotOrder } from '../../operations/fail-robot-order.ts';
import { holdRobotOrder } from '../../operations/hold-robot-order.ts';
import { actorOf } from '../access.ts';
import type { AppDeps } from '../app-deps.ts';

const claimQuery = z.strictObject({
  wait: z.coerce
    .number()
    .int()
    .min(0)
    .max(maxClaimWaitSeconds)
    .default(0)
    .describe('How many seconds to wait for an order, where none is due'),
});
/** A sign-out holds within a second. */
const watchEveryMs = 500;
const maxAttempt = 2_147_483_647;
const attemptBody = z.strictObject({ orderNumber: orderNumberSchema, attempt: z.int().min(1).max(maxAttempt) });
const failureBody = attemptBody.extend({
  reason: textSchema(500).min(1),
  retryable: z.boolean().describe('Worth another try after a backoff; otherwise the order fails for good'),
});
const robotAnswer = z.object({
  order: orderSchema,
  leaseMs: z.int().describe('How long the robot may be silent before its order goes to another'),
});
const withLease = (order: Order) => ({ order, leaseMs: robotLeaseMs });
const access = 'bot:work-as';
const tags = ['Robots'];
const problems = ['attempt_superseded'] as const;

/** Robots of one's own: accounts that take orders over HTTP and do them wherever they are. */
export async function robotRoutes(scope: FastifyInstance, deps: AppDeps): Promise<void> {
  const app = scope.withTypeProvider<ZodTypeProvider>();
  const { config, database, robots, sessions, announce, log } = deps;
  const { pool } = database;
  const maxAttempts = config.orderMaxAttempts;

  app.post(
    '/v1/bots/self/claim',
    {
      config: {
        access,
        answers: { 200: 'The order that the robot is to do now: started, and its own.', 204: 'No order was due.' },
      },
      schema: {
        operationId: 'claimOrder',
        tags,
        summary: 'Take the next order',
        description:
          'VIP first, each lane first in, first out. A robot has one order at a time: while it has one, this gives it again, with the same attempt.',
        querystring: claimQuery,
        body: z.strictObject({}).nullish(),
        response: { 200: robotAnswer, 204: z.undefined() },
      },
    },
    async (request, reply) => {
      const hungUp = new AbortController();
      const stopWatching = watchAsker(request, reply, sessions, () => hungUp.abort());
      const waiting = { waitMs: request.query.wait * 1_000, hungUp: hungUp.signal };
      const order = await claimOrder({ database, robots, announce }, actorOf(request).userId, waiting).finally(
        stopWatching,
      );
      return order ? reply.send(withLease(order)) : reply.code(204).send();
    },
  );

  app.post(
    '/v1/bots/self/heartbeat',
    {
      config: { access, problems, answers: { 200: 'The lease is renewed.' } },
      schema: {
        operationId: 'sendHeartbeat',
        tags,
        summary: 'Say that the robot is still at work',
        description: 'About three times in `leaseMs`.',
        body: attemptBody,
        response: { 200: robotAnswer },
      },
    },
    async (request) => withLease(await holdRobotOrder(pool, actorOf(request).userId, request.body)),
  );

  app.post(
    '/v1/bots/self/complete',
    {
      config: { access, problems, answers: { 200: 'The order is complete; also for a repeat.' } },
      schema: {
        operationId: 'completeOrder',
        tags,
        summary: 'Complete the order',
        body: attemptBody,
        response: { 200: robotAnswer },
      },
    },
    async (request) =>
      withLease(await completeRobotOrder({ database, announce }, actorOf(request).userId, request.body)),
  );

  app.post(
    '/v1/bots/self/fail',
    {
      config: { access, problems, answers: { 200: 'The order is pending again, or failed; also for a repeat.' } },
      schema: {
        operationId: 'failOrder',
        tags,
        summary: 'Say that the order could not be done',
        description:
          'Counts as a failed attempt. The order has another try after a backoff, until it has used up its attempts.',
        body: failureBody,
        response: { 200: robotAnswer },
      },
    },
    async (request) =>
      withLease(await failRobotOrder({ pool, announce, maxAttempts, log }, actorOf(request).userId, request.body)),
  );
}

/**
 * Tells when nobody waits for the answer any more, or the asker was signed out meanwhile. The request's own signal tells only that
 * the request was read.
 */
function watchAsker(
  { sessionId }: FastifyRequest,
  { raw }: FastifyReply,
  sessions: AppDeps['sessions'],
  onGone: () => void,
): () => void {
  const onClose = () => {
    if (!raw.writableFinished) onGone();
  };
  raw.once('close', onClose);
  const watch = async () => {
    const actor = await sessions.find(sessionId ?? '');
    if (actor === null) onGone();
  };
  // A database that is away signs nobody out.
  const timer = setInterval(() => void watch().catch(() => undefined), watchEveryMs);
  return () => {
    clearInterval(timer);
    raw.off('close', onClose);
  };
}
