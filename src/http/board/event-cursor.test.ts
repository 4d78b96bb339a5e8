import { describe, expect, it } from 'vitest';
import { compareCursors, cursorText, parseCursor } from './event-cursor.ts';

describe('cursors', () => {
  it('sort by transaction, then by id, as numbers however long', () => {
    const texts = ['9-1', '10-0', '10-9', '10-10', '99-5', '100-1', '18446744073709551615-1'];
    const cursors = texts.map((text) => parseCursor(text)!);
    expect([...cursors].reverse().sort(compareCursors).map(cursorText)).toEqual(texts);
  });

  it.each([
    '',
    '12',
    '12-',
    '-12',
    '012-1',
    '1-2-3',
    '1-2-ahead',
    '1e3-2',
    ' 1-2',
    '123456789012345678901-1',
    'x'.repeat(9_000),
  ])('refuses %j', (text) => {
    expect(parseCursor(text)).toBeNull();
  });
});
