import underPressure from '@fastify/under-pressure';
import type { FastifyInstance } from 'fastify';
import { EngineError } from '../domain/errors.ts';
import { isProbe } from './probes.ts';

const retryAfterSeconds = 2;
/** How often the plugin looks, plus what a look may be late. */
const lookMs = 1_500;
/** Stalls that are further apart have nothing to do with each other. */
const apartMs = 10_000;

/** Refuses while the event loop lags more than this on average of a second: what is under way is finished first. */
export async function refuseOverload(app: FastifyInstance, maxDelayMs: number): Promise<void> {
  if (maxDelayMs === 0) return;
  const isOverload = createOverloadJudge(maxDelayMs);
  await app.register(underPressure, {
    maxEventLoopDelay: maxDelayMs,
    pressureHandler: (request, _reply, _type, delayMs) => {
      if (isProbe(request.routeOptions.url) || !isOverload(delayMs ?? 0, performance.now())) return;
      const message = 'This server has too much to do. Try again in a moment.';
      throw new EngineError('service_unavailable', message, { retryAfterSeconds });
    },
  });
}

/**
 * The plugin says Infinity when it measured nothing since it last looked. That is one stall, as of a machine that starts or was
 * paused, and nothing to refuse anybody for; only when it goes on is it overload of the worst kind.
 */
export function createOverloadJudge(maxDelayMs: number): (delayMs: number, now: number) => boolean {
  const enoughMs = Math.max(maxDelayMs, lookMs);
  let stalledSince = 0;
  let stalledAt = Number.NEGATIVE_INFINITY;
  return (delayMs, now) => {
    if (Number.isFinite(delayMs)) return delayMs > maxDelayMs;
    if (now - stalledAt > apartMs) stalledSince = now;
    stalledAt = now;
    return now - stalledSince > enoughMs;
  };
}
