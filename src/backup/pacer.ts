import { setTimeout as delay } from 'node:timers/promises';

/** How much of the time a backup works. Orders go first: whoever works on them shares processor and disk with it. */
export type Pace = 'gentle' | 'full';

export interface Pacer {
  /** How long it has rested so far, in ms. */
  readonly restedMs: number;
  /** To be called between two pieces of work; mostly it returns at once. */
  rest(): Promise<void>;
}

const workMs = 50;
const gentleShare = 0.35;

/**
 * Works for a moment, then rests for as long as its share wants. By the clock, not by bytes: where the machine is busy, a piece of work takes
 * longer, and so does the rest after it.
 */
export function createPacer(pace: Pace, signal: AbortSignal | undefined): Pacer {
  let restedMs = 0;
  let beganAt = performance.now();
  return {
    get restedMs() {
      return restedMs;
    },
    async rest() {
      const busyMs = performance.now() - beganAt;
      if (pace === 'full' || busyMs < workMs) return;
      const restMs = busyMs * (1 / gentleShare - 1);
      // A long piece, such as an index, is not paid back by a standstill.
      await delay(Math.min(restMs, 20 * workMs), undefined, { ...(signal && { signal }) });
      const now = performance.now();
      restedMs += now - beganAt - busyMs;
      beganAt = now;
    },
  };
}

/** The same chunks, with rests between them. */
export async function* paced<Chunk>(pacer: Pacer | undefined, chunks: AsyncIterable<Chunk>): AsyncGenerator<Chunk> {
  for await (const chunk of chunks) {
    yield chunk;
    await pacer?.rest();
  }
}
