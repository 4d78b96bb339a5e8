import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { moneySchema, totalMinor } from './money.ts';

describe('the total of an order', () => {
  it.each([
    ['nothing', [], 0],
    ['one line', [[1, 240]], 240],
    ['a quantity', [[3, 240]], 720],
    [
      'several lines',
      [
        [2, 240],
        [1, 260],
        [10, 5],
      ],
      790,
    ],
    ['something for free', [[1000, 0]], 0],
    ['the largest order there is', Array.from({ length: 100 }, () => [1_000, 90_071_992_547]), 9_007_199_254_700_000],
  ] as [string, [number, number][], number][])('of %s', (_name, lines, total) => {
    expect(totalMinor(lines.map(([quantity, unitPriceMinor]) => ({ quantity, unitPriceMinor })))).toBe(total);
  });

  it('throws instead of losing a cent', () => {
    const line = { quantity: 1, unitPriceMinor: Number.MAX_SAFE_INTEGER };
    expect(totalMinor([line])).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => totalMinor([line, { quantity: 1, unitPriceMinor: 1 }])).toThrow(RangeError);
    expect(() => totalMinor([{ quantity: 1, unitPriceMinor: 0.5 }])).toThrow(RangeError);
  });

  it('is the same in any order, and as exact as with whole numbers of any size', () => {
    const lines = fc.array(
      fc.record({ quantity: fc.integer({ min: 1, max: 1_000 }), unitPriceMinor: fc.nat(100_000_000) }),
      { maxLength: 50 },
    );
    fc.assert(
      fc.property(lines, (order) => {
        const exact = order.reduce((sum, line) => sum + BigInt(line.quantity) * BigInt(line.unitPriceMinor), 0n);
        expect(BigInt(totalMinor(order))).toBe(exact);
        expect(totalMinor(order.toReversed())).toBe(totalMinor(order));
      }),
    );
  });
});

it.each([
  { amountMinor: 1.5, currency: 'EUR' },
  { amountMinor: -1, currency: 'EUR' },
  { amountMinor: 2 ** 53, currency: 'EUR' },
  { amountMinor: '1', currency: 'EUR' },
  { amountMinor: 1, currency: 'eur' },
  { amountMinor: 1, currency: 'EURO' },
])('refuses %o as money', (value) => {
  expect(moneySchema.safeParse(value).success).toBe(false);
});
