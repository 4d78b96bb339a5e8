import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { PhaseProgress } from './backup-text.ts';
import { showProgress } from './show-progress.ts';

function linesOf(work: (display: ReturnType<typeof showProgress>) => void): string[] {
  const output = new PassThrough();
  const display = showProgress(output);
  work(display);
  display.close();
  return String(output.read() ?? '')
    .split('\n')
    .slice(0, -1);
}

const restoring = (done: number): PhaseProgress => ({ phase: 'restore', done, total: 23_600, unit: 'bytes' });
const storing = (done: number): PhaseProgress => ({ phase: 'upload', done, total: 900, unit: 'rows' });

describe('a phase whose end nobody saw', () => {
  it('is told with its total where that is known before, and without a figure where it is estimated', () => {
    const lines = linesOf((display) => {
      display.show(storing(300));
      display.show(restoring(0));
      display.show({ phase: 'compare', done: 0, total: 6_800, unit: 'bytes' });
      display.end();
    });
    expect(lines).toEqual(['storing      done', 'restoring    23.6 kB', 'comparing    6.8 kB']);
  });
});

describe('a phase that was stopped', () => {
  it('is not told as one that ended, and not at all where it had not got anywhere', () => {
    expect(linesOf((display) => display.show(restoring(0)))).toEqual([]);
    const lines = linesOf((display) => {
      display.show(storing(900));
      display.show(restoring(4_000));
    });
    expect(lines).toEqual(['storing      900 rows', 'restoring    stopped after 4.0 kB of 23.6 kB']);
  });
});
