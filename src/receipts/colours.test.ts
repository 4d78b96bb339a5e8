import { describe, expect, it } from 'vitest';
import { contrast, inkOn, inkOnWhite } from './colours.ts';

describe('colours', () => {
  it.each([
    ['#000000', '#ffffff'],
    ['#ffffff', '#000000'],
    ['#1f6f54', '#ffffff'],
    ['#ffd84d', '#000000'],
    ['#757575', '#ffffff'],
    ['#767676', '#000000'],
    ['#FF0000', '#000000'],
  ])('on %s it is written in %s', (colour, ink) => {
    expect(inkOn(colour)).toBe(ink);
  });

  it('is readable on every colour: at least 4.5 to 1', () => {
    for (let red = 0; red < 256; red += 15)
      for (let green = 0; green < 256; green += 15)
        for (let blue = 0; blue < 256; blue += 15) {
          const colour = `#${[red, green, blue].map((part) => part.toString(16).padStart(2, '0')).join('')}`;
          expect(contrast(colour, inkOn(colour)), colour).toBeGreaterThanOrEqual(4.5);
        }
  });

  it('measures as WCAG does', () => {
    expect(contrast('#000000', '#ffffff')).toBe(21);
    expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
  });

  it('keeps a colour that can be read on white, and no other', () => {
    expect(inkOnWhite('#1f6f54')).toBe('#1f6f54');
    expect(inkOnWhite('#ffd84d')).toBe('#1c1b1a');
  });
});
