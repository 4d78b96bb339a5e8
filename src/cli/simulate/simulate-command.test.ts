import { expect, it } from 'vitest';
import { runCaptured } from '../captured-run.ts';
import type { ShiftSummary } from './shift-summary.ts';

it('plays the classic shift twice, and both go as they must', async () => {
  const env = { DATABASE_URL: process.env.TEST_DATABASE_URL ?? '' };
  const { exitCode, stdout, stderr } = await runCaptured(['simulate', '--speed', '20', '--json'], { env });
  const { isRight, runs } = JSON.parse(stdout) as { isRight: boolean; runs: ShiftSummary[] };
  expect({ exitCode, isRight, unmet: runs.flatMap((one) => one.expectations.filter(({ isMet }) => !isMet)) }).toEqual({
    exitCode: 0,
    isRight: true,
    unmet: [],
  });
  for (const one of runs)
    expect(one).toMatchObject({ orders: { total: 4, vip: 2, normal: 2 }, completed: 4, bots: 1, pending: 0 });
  const clock = /\[\d\d:\d\d:\d\d\] /g;
  const [idle, midOrder] = runs.map(({ lines }) => lines.map((line) => line.replace(clock, '')));
  expect(idle?.slice(0, 3)).toEqual([
    'order 1001 NORMAL → PENDING',
    'order 1002 VIP → PENDING',
    'order 1003 NORMAL → PENDING',
  ]);
  expect(idle).toContain('bot 1 picked up order 1002 (VIP) → PROCESSING');
  expect(idle?.at(-1)).toBe('bot 2 destroyed while IDLE');
  expect(midOrder?.join('\n')).toMatch(
    /bot 2 destroyed while doing order (\d+)\norder \1 \((NORMAL|VIP)\) back to PENDING/,
  );
  expect(stderr).toContain('[');
});
