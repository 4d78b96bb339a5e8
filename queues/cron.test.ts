import { expect, it } from 'vitest';
import { nextTime, pausesOf } from './cron.ts';

const friday = new Date('2026-11-20T12:00:00Z');
const hourMs = 3_600_000;

it('reckons in UTC', () => {
  expect(nextTime('30 2 * * *', friday)).toEqual(new Date('2026-11-21T02:30:00Z'));
});

it.each([
  ['30 2 * * *', 24, 24],
  ['0 2 * * 1-5', 24, 72],
  ['*/5 8-18 * * 1-5', 1 / 12, 61 + 1 / 12],
  ['0 3 1 * *', 28 * 24, 31 * 24],
  ['0 */6 * * *', 6, 6],
])('knows the shortest and the longest pause of %s', (cron, shortest, longest) => {
  const { shortestMs, longestMs } = pausesOf(cron, friday);
  expect([shortestMs / hourMs, longestMs / hourMs]).toEqual([expect.closeTo(shortest), expect.closeTo(longest)]);
});
