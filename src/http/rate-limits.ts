import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Redis } from 'ioredis';
import type { Config } from '../config.ts';
import { networkOf } from '../domain/address.ts';
import { EngineError } from '../domain/errors.ts';
import { may } from '../domain/permissions.ts';
import { isProbe } from './probes.ts';
import { sharedCountsIn } from './shared-counts.ts';

/**
 * Whoever works for the shop, a till or a robot that is a manager's or a bot's account, has ten times as much as a customer: one
 * order after the other must never wait for this. It still ends what has run wild, a client that asks again without a pause.
 */
const shopFactor = 10;
const windowMs = 60_000;

/**
 * Requests a minute, of an account wherever it is known, else of an address (of IPv6 the network that one customer has). Calls that
 * sign in have a count of their own, by address. It runs after the guard has found out who asks, and before it refuses: those
 * who are refused are counted too. Web processes that have a Redis count together; a Redis that is away refuses nobody.
 */
export async function limitRates(
  app: FastifyInstance,
  { config: { limits, queuePrefix }, redis }: { config: Config; redis: Redis | null },
): Promise<void> {
  app.addHook('onRoute', (route) => {
    const limit = isSignIn(route.url) ? limits.signInsPerMinute : limits.requestsPerMinute;
    if (limit === 0 || isProbe(route.url)) route.config = { ...route.config, rateLimit: false };
  });
  await app.register(rateLimit, {
    timeWindow: windowMs,
    max: (request) => {
      if (isSignIn(request.routeOptions.url)) return limits.signInsPerMinute;
      return limits.requestsPerMinute * (worksForTheShop(request) ? shopFactor : 1);
    },
    keyGenerator: keyOf,
    ...(redis && { store: sharedCountsIn(redis, `${queuePrefix}:rate-limit:`) }),
    cache: 20_000, // without Redis: the latest that many are remembered
    skipOnError: true,
    enableDraftSpec: true, // ratelimit-limit, -remaining and -reset
    errorResponseBuilder: (_request, { max, ttl }) => {
      const retryAfterSeconds = Math.max(1, Math.ceil(ttl / 1_000));
      const detail = `More than ${max} requests in a minute. Try again in ${retryAfterSeconds} s.`;
      return new EngineError('rate_limited', detail, { retryAfterSeconds });
    },
  });
}

function keyOf(request: FastifyRequest): string {
  if (isSignIn(request.routeOptions.url)) return `sign-in:${networkOf(request.ip)}`;
  return request.actor ? `account:${request.actor.userId}` : `address:${networkOf(request.ip)}`;
}

const isSignIn = (url: string | undefined) => url?.startsWith('/v1/auth/') === true;

const worksForTheShop = ({ actor }: FastifyRequest) =>
  actor !== null && (may(actor, 'bot:work-as') || may(actor, 'operations:read'));
