import { describe, expect, it } from 'vitest';
import { parseFileTime, wallClockText } from './file-time.ts';

describe('parseFileTime', () => {
  it.each([
    ['2026-03-07 08:14', '2026-03-07T08:14:00.000Z', null],
    ['2026-03-07 08:14:35', '2026-03-07T08:14:35.000Z', null],
    ['2026-03-07T08:14:35', '2026-03-07T08:14:35.000Z', null],
    ['2026-03-07T08:14:35.5Z', '2026-03-07T08:14:35.500Z', 0],
    ['2026-03-07T08:14:35+01:00', '2026-03-07T07:14:35.000Z', 60],
    ['2026-03-07 00:14:35-0530', '2026-03-07T05:44:35.000Z', -330],
    ['2028-02-29 12:00', '2028-02-29T12:00:00.000Z', null],
  ])('reads %s', (text, expected, offsetMinutes) => {
    const time = parseFileTime(text);
    expect(new Date(time?.atMs ?? Number.NaN).toISOString()).toBe(expected);
    expect(time?.offsetMinutes).toBe(offsetMinutes);
  });

  it.each([
    '',
    '08:14',
    '2026-02-30 08:14',
    '2026-13-01 08:14',
    '2026-03-07 24:01',
    '2026-03-07 08:60',
    '07.03.2026 08:14',
    '2026-03-07 08:14 PM',
    '2026-03-07T08:14+25:00',
    '1772871275',
  ])('refuses %j', (text) => expect(parseFileTime(text)).toBeUndefined());
});

it('shows the clock of the shop, whatever the time zone of this machine', () => {
  const time = parseFileTime('2026-03-07T08:14:35+01:00');
  expect(wallClockText(time?.atMs ?? 0, time?.offsetMinutes ?? null)).toBe('Sat 08:14:35');
});
