import { expect, it } from 'vitest';
import { hostLeaseMs, robotLeaseMs } from './bot.ts';
import { LeaseJudge } from './lease-judge.ts';

function reachEverySecond(judge: LeaseJudge, from: number, to: number): void {
  for (let at = from; at <= to; at += 1_000) judge.reached(at);
}

it('judges nobody before a whole lease has passed, and a longer lease later', () => {
  const judge = new LeaseJudge();
  expect(judge.mayJudge(0)).toBe(false);
  reachEverySecond(judge, 50_000, 53_000);
  expect(judge.mayJudge(hostLeaseMs)).toBe(false);
  judge.reached(53_001);
  expect(judge.mayJudge(hostLeaseMs)).toBe(true);
  expect(judge.mayJudge(robotLeaseMs)).toBe(false);
  reachEverySecond(judge, 54_000, 61_000);
  expect(judge.mayJudge(robotLeaseMs)).toBe(true);
});

it('begins anew after a break in which a lease could have run out', () => {
  const judge = new LeaseJudge();
  reachEverySecond(judge, 0, 20_000);
  judge.reached(20_000 + hostLeaseMs);
  expect(judge.mayJudge(robotLeaseMs), 'a break that nobody’s lease ends in').toBe(true);
  judge.reached(20_000 + 2 * hostLeaseMs + 1);
  expect(judge.mayJudge(0)).toBe(false);
  reachEverySecond(judge, 27_000, 38_000);
  expect(judge.mayJudge(robotLeaseMs)).toBe(true);
});
