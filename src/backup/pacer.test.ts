import { describe, expect, it } from 'vitest';
import { createPacer, paced } from './pacer.ts';

function workFor(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

async function* pieces(count: number) {
  for (let piece = 0; piece < count; piece++) {
    workFor(60);
    yield piece;
  }
}

describe('a gentle backup', () => {
  it('rests most of the time, and gives the same', async () => {
    const pacer = createPacer('gentle', undefined);
    const beganAt = performance.now();
    expect(await Array.fromAsync(paced(pacer, pieces(5)))).toEqual([0, 1, 2, 3, 4]);
    const tookMs = performance.now() - beganAt;
    expect(pacer.restedMs / tookMs).toBeGreaterThan(0.5);
    expect(pacer.restedMs).toBeGreaterThan(5 * 60);
  });

  it('does not pay back a long piece by a standstill', async () => {
    const pacer = createPacer('gentle', undefined);
    workFor(1_200);
    await pacer.rest();
    expect(pacer.restedMs).toBeLessThan(2_000); // three times as long would be 2,200
  });

  it('ends its rest when it is stopped', async () => {
    const stop = new AbortController();
    const pacer = createPacer('gentle', stop.signal);
    workFor(500);
    const resting = pacer.rest();
    stop.abort();
    await expect(resting).rejects.toThrow();
  });
});

it('never rests where somebody waits', async () => {
  const pacer = createPacer('full', undefined);
  await Array.fromAsync(paced(pacer, pieces(3)));
  expect(pacer.restedMs).toBe(0);
});
