import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { containedTaxes } from './contained-taxes.ts';

function item(sku: string, amountMinor: number) {
  const money = { amountMinor, currency: 'EUR' };
  return { sku, name: sku, quantity: 1, unitPrice: money, total: money };
}
const euros = (amountMinor: number) => ({ amountMinor, currency: 'EUR' });

describe('containedTaxes', () => {
  it.each([
    ['the usual rate', [item('a', 1190)], 1190, { rate: 19 }, [[19, 1000, 190, 1190]]],
    ['half a cent goes up', [item('a', 3)], 3, { rate: 20 }, [[20, 2, 1, 3]]],
    ['a rate no double holds', [item('a', 1081)], 1081, { rate: 8.1 }, [[8.1, 1000, 81, 1081]]],
    [
      'rounded once per rate, not once per line',
      [item('a', 1), item('a', 1), item('a', 1)],
      3,
      { rate: 100 },
      [[100, 1, 2, 3]],
    ],
    ['no tax at all', [item('a', 500)], 500, { rate: 0 }, [[0, 500, 0, 500]]],
    ['none is shown without a rate', [item('a', 500)], 500, { rate: null }, []],
    [
      'only what has a rate of its own',
      [item('a', 500), item('tea', 107)],
      607,
      { rate: null, rateBySku: new Map([['tea', 7]]) },
      [[7, 100, 7, 107]],
    ],
    [
      'two rates, the higher one first',
      [item('tea', 107), item('a', 119)],
      226,
      { rate: 19, rateBySku: new Map([['tea', 7]]) },
      [
        [19, 100, 19, 119],
        [7, 100, 7, 107],
      ],
    ],
    [
      'half of it was paid: half of each rate',
      [item('tea', 214), item('a', 238)],
      226,
      { rate: 19, rateBySku: new Map([['tea', 7]]) },
      [
        [19, 100, 19, 119],
        [7, 100, 7, 107],
      ],
    ],
    ['items that cost nothing', [item('a', 0)], 0, { rate: 19 }, [[19, 0, 0, 0]]],
    [
      'an amount only just held',
      [item('a', Number.MAX_SAFE_INTEGER)],
      Number.MAX_SAFE_INTEGER,
      { rate: 25 },
      [[25, 7205759403792793, 1801439850948198, Number.MAX_SAFE_INTEGER]],
    ],
  ] as const)('%s', (_, items, paid, tax, expected) => {
    const found = containedTaxes(items, euros(paid), { name: 'VAT', rateBySku: new Map(), ...tax });
    expect(found.map(({ rate, netMinor, taxMinor, grossMinor }) => [rate, netMinor, taxMinor, grossMinor])).toEqual(
      expected,
    );
  });

  it('adds up, whatever is sold at whatever rates and whatever of it was paid', () => {
    const line = fc.record({ sku: fc.constantFrom('a', 'b', 'c', 'd'), minor: fc.nat(100_000_000) });
    const rate = fc.nat(10_000).map((hundredths) => hundredths / 100);
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 30 }),
        fc.array(rate, { minLength: 4, maxLength: 4 }),
        fc.option(fc.nat(3_000_000_000)),
        (lines, [usual = 0, ...rates], other) => {
          const items = lines.map(({ sku, minor }) => item(sku, minor));
          const total = items.reduce((sum, one) => sum + one.total.amountMinor, 0);
          const rateBySku = new Map(['b', 'c', 'd'].map((sku, index) => [sku, rates[index] ?? 0]));
          const paid = other ?? total;
          const taxes = containedTaxes(items, euros(paid), { name: 'VAT', rate: usual, rateBySku });
          expect(taxes.reduce((sum, { grossMinor }) => sum + grossMinor, 0)).toBe(paid);
          for (const { rate, netMinor, taxMinor, grossMinor } of taxes) {
            expect(netMinor + taxMinor).toBe(grossMinor);
            expect(Math.min(netMinor, taxMinor)).toBeGreaterThanOrEqual(0);
            expect(Math.abs(taxMinor - (grossMinor * rate) / (100 + rate))).toBeLessThanOrEqual(0.5 + 1e-6);
          }
          if (paid === total)
            for (const { rate, grossMinor } of taxes) {
              const ofRate = items.filter(({ sku }) => (rateBySku.get(sku) ?? usual) === rate);
              expect(grossMinor).toBe(ofRate.reduce((sum, one) => sum + one.total.amountMinor, 0));
            }
        },
      ),
    );
  });
});
