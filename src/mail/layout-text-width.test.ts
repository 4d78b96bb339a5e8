import { describe, expect, it } from 'vitest';
import { padLeft, padRight, textWidth, wrap } from './layout-text-width.ts';

describe('textWidth', () => {
  it.each([
    ['Tea', 3],
    ['café', 4],
    ['cafe\u0301', 4],
    ['抹茶', 4],
    ['👩‍👩‍👧', 2],
    ['☕️', 2],
    ['🇪🇺', 2],
    ['\u2068יעל\u2069', 3],
    ['', 0],
  ])('%s takes %i columns', (text, width) => {
    expect(textWidth(text)).toBe(width);
  });

  it('pads to columns, not to characters', () => {
    expect(padRight('抹茶', 6)).toBe('抹茶  ');
    expect(padLeft('👩‍👩‍👧', 3)).toBe(' 👩‍👩‍👧');
    expect(padRight('longer', 3)).toBe('longer');
  });
});

describe('wrap', () => {
  it.each([
    ['between words', 'one two three', 7, ['one two', 'three']],
    ['within a word that is too long', 'abcdefgh', 3, ['abc', 'def', 'gh']],
    ['by columns', '抹茶抹茶', 5, ['抹茶', '抹茶']],
    ['never within a character', '👩‍👩‍👧👩‍👩‍👧', 3, ['👩‍👩‍👧', '👩‍👩‍👧']],
    ['not at all', 'one', 7, ['one']],
    ['nothing', '', 7, ['']],
  ])('breaks %s', (_, text, width, lines) => {
    expect(wrap(text, width)).toEqual(lines);
  });
});
