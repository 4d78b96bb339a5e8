import { describe, expect, it } from 'vitest';
import { durationText, parseDurationMs } from './duration.ts';

describe('parseDurationMs', () => {
  it.each([
    ['3m', 180_000],
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['500ms', 500],
    ['1.5s', 1_500],
  ])('reads %s', (text, expected) => expect(parseDurationMs(text)).toBe(expected));

  it.each(['', '3', 'm', '3 m', '-3m', '3min', '1e3s', 'soon'])('refuses %j', (text) =>
    expect(parseDurationMs(text)).toBeUndefined(),
  );
});

describe('durationText', () => {
  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [999.9, '1.0 s'],
    [9_600, '9.6 s'],
    [59_940, '59.9 s'],
    [59_999, '1m 00s'],
    [125_000, '2m 05s'],
    [3_599_900, '1h 00m'],
    [3_840_000, '1h 04m'],
  ])('writes %d ms as %s', (durationMs, expected) => expect(durationText(durationMs)).toBe(expected));
});
