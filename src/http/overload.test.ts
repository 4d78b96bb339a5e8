import { expect, it } from 'vitest';
import { createOverloadJudge } from './overload.ts';

const judged = (maxDelayMs: number, seen: [now: number, delayMs: number][]) => {
  const isOverload = createOverloadJudge(maxDelayMs);
  return seen.map(([now, delayMs]) => isOverload(delayMs, now));
};

it('refuses by what is measured', () => {
  expect(
    judged(2_000, [
      [0, 1_999],
      [10, 2_001],
      [20, 5_000],
      [30, 3],
    ]),
  ).toEqual([false, true, true, false]);
});

it('lets a single stall pass, right after the start and later', () => {
  const stall = (at: number): [number, number][] => [
    [at, Infinity],
    [at + 500, Infinity],
    [at + 1_000, Infinity],
  ];
  for (const maxDelayMs of [50, 2_000])
    expect(judged(maxDelayMs, [...stall(10), ...stall(20_000), ...stall(60_000)])).toEqual(Array(9).fill(false));
});

it('refuses while stall follows stall', () => {
  const seen = [0, 5_000, 10_000, 15_000].map((at): [number, number] => [at, Infinity]);
  expect(judged(2_000, seen)).toEqual([false, true, true, true]);
});
