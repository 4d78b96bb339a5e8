import { expect, it } from 'vitest';
import { Pace } from './pace.ts';

it('runs through the file at its speed', () => {
  const pace = new Pace(60, 1_000_000, 5_000);
  expect(pace.dueInMs(1_600_000, 5_000)).toBe(10_000);
  expect(pace.dueInMs(1_600_000, 16_000)).toBe(-1_000);
  expect(pace.fileClockMs(6_000)).toBe(1_060_000);
});

it('jumps over what was sent before, and goes on at its speed', () => {
  const pace = new Pace(60, 1_000_000, 5_000);
  pace.jumpTo(4_600_000, 5_500);
  expect(pace.dueInMs(4_600_000, 5_500)).toBe(0);
  expect(pace.dueInMs(4_660_000, 5_500)).toBe(1_000);
});
