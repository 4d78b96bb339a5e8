import { setTimeout as delay } from 'node:timers/promises';
import type { Handler } from './handler.ts';

/** Every order takes the same time. */
export function createTimerHandler(processingMs: number): Handler {
  return {
    expectedMs: processingMs,
    needsOrder: false,
    async run(_order, { signal }) {
      await delay(processingMs, undefined, { signal });
    },
  };
}
