import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Lets through so many a second, evenly, in the order they came; 0 is no limit. The limit of nodemailer's pool heeds only connections
 * that it keeps: where a server hangs up after each refusal, as one does that wants a slower pace, it would not hold.
 */
export function createPace(perSecond: number): (signal: AbortSignal) => Promise<void> {
  let nextAt = 0;
  return async (signal) => {
    signal.throwIfAborted();
    if (perSecond === 0) return;
    const now = performance.now();
    const at = Math.max(now, nextAt);
    nextAt = at + 1_000 / perSecond;
    if (at > now) await sleep(at - now, undefined, { signal });
  };
}
