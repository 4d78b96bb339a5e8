import { describe, expect, it } from 'vitest';
import { priceOrder } from './price-order.ts';
import type { Product } from './product.ts';

function product(sku: string, amountMinor: number, more: Partial<Product> = {}): [string, Product] {
  const name = sku.toUpperCase();
  return [
    sku,
    {
      sku,
      name,
      description: '',
      price: { amountMinor, currency: 'EUR' },
      imageUrl: null,
      soundUrl: null,
      isAvailable: true,
      ...more,
    },
  ];
}

const catalogue = new Map([
  product('espresso', 240),
  product('water', 0),
  product('cake', 350, { isAvailable: false }),
  product('fudge', 400, { price: { amountMinor: 400, currency: 'GBP' } }),
]);

describe('pricing', () => {
  it('takes every price and name from the catalogue, line by line', () => {
    const priced = priceOrder(
      [
        { sku: 'espresso', quantity: 2 },
        { sku: 'water', quantity: 1 },
        { sku: 'espresso', quantity: 1 },
      ],
      catalogue,
    );
    expect(priced).toEqual({
      items: [
        { sku: 'espresso', name: 'ESPRESSO', quantity: 2, unitPriceMinor: 240 },
        { sku: 'water', name: 'WATER', quantity: 1, unitPriceMinor: 0 },
        { sku: 'espresso', name: 'ESPRESSO', quantity: 1, unitPriceMinor: 240 },
      ],
      totalMinor: 720,
      currency: 'EUR',
    });
    expect(priceOrder([{ sku: 'fudge', quantity: 1 }], catalogue).currency).toBe('GBP');
  });

  it.each([
    ['unicorn', 'product_unknown'],
    ['Espresso', 'product_unknown'],
    ['__proto__', 'product_unknown'],
    ['cake', 'product_unavailable'],
  ])('refuses %s as %s', (sku, code) => {
    expect(() =>
      priceOrder(
        [
          { sku: 'espresso', quantity: 1 },
          { sku, quantity: 1 },
        ],
        catalogue,
      ),
    ).toThrow(expect.objectContaining({ code }));
  });

  it('refuses a mixture of currencies and names the line', () => {
    expect(() =>
      priceOrder(
        [
          { sku: 'espresso', quantity: 1 },
          { sku: 'fudge', quantity: 1 },
        ],
        catalogue,
      ),
    ).toThrow(
      expect.objectContaining({
        code: 'input_invalid',
        faults: [{ path: 'items.1.sku', message: 'is sold in GBP, the rest of the order in EUR' }],
      }),
    );
  });
});
