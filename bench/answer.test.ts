import { describe, expect, it } from 'vitest';
import { atLeast, atMost, barLine, isMet } from './answer.ts';
import { median, percentile } from './statistics.ts';

describe('bars', () => {
  it('says name, measured, target and verdict in one line', () => {
    expect(barLine(atLeast('intake-50-to-naive', 4.123, 4, 'x'))).toBe('bar: intake-50-to-naive 4.12x >=4x ok');
    expect(barLine(atMost('redis-per-waiting-order', 401, 400, 'bytes'))).toBe(
      'bar: redis-per-waiting-order 401B <=400B short',
    );
  });

  it('is short when it could not be measured', () => {
    expect(isMet(atLeast('speed', Number.NaN, 1, 'x'))).toBe(false);
    expect(isMet(atMost('memory', Number.NaN, 350, 'MB'))).toBe(false);
  });

  it('is met at the target itself', () => {
    expect(isMet(atLeast('speed', 1, 1, 'x'))).toBe(true);
    expect(isMet(atMost('wait', 5, 5, 's'))).toBe(true);
  });
});

describe('statistics', () => {
  it('takes the middle, or the mean of the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it('gives the value that the share is not above', () => {
    const values = Array.from({ length: 300 }, (_, index) => 300 - index);
    expect(percentile(values, 0.5)).toBe(150);
    expect(percentile(values, 0.99)).toBe(297);
    expect(percentile(values, 1)).toBe(300);
  });
});
