import { expect, it } from 'vitest';
import { missingProducts } from './missing-products.ts';
import type { TillLine } from './till-lines.ts';

function lineOf(sku: string, unitPrice: string | null): TillLine {
  return {
    line: 2,
    placedAt: { atMs: 0, offsetMinutes: null },
    orderRef: '1',
    customer: null,
    lane: 'normal',
    sku,
    quantity: 1,
    unitPrice,
  };
}

it('names what the catalogue does not know, at its usual price in minor units', () => {
  const lines = [
    lineOf('espresso', '9.99'),
    lineOf('bircher-muesli', '4.35'),
    lineOf('bircher-muesli', '4.10'),
    lineOf('bircher-muesli', '4.35'),
    lineOf('voucher', null),
  ];
  expect(missingProducts(lines, new Set(['espresso']), 'EUR')).toEqual({
    products: [{ sku: 'bircher-muesli', name: 'Bircher muesli', price: { amountMinor: 435, currency: 'EUR' } }],
    withoutPrice: ['voucher'],
  });
});

it('knows currencies without a minor unit, and with a smaller one', () => {
  const priceIn = (currency: string) =>
    missingProducts([lineOf('tea', '450')], new Set(), currency).products[0]?.price.amountMinor;
  expect([priceIn('JPY'), priceIn('EUR'), priceIn('KWD')]).toEqual([450, 45_000, 450_000]);
});
