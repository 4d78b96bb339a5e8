import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isoMinorOf, readAmount, writeAmount } from './paypal-amounts.ts';

it('reads what it writes', () => {
  const amounts = fc.record({
    units: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    currency: fc.constantFrom('EUR', 'USD', 'HUF', 'JPY', 'TWD'),
  });
  fc.assert(
    fc.property(amounts, (amount) => {
      expect(readAmount(writeAmount(amount), '/amount')).toEqual(amount);
    }),
  );
});

it.each([
  ['EUR', '0.05', 5],
  ['EUR', '12.5', 1250],
  ['EUR', '12', 1200],
  ['HUF', '4990', 499_000], // ISO 4217 gives a forint two decimals, PayPal none
  ['TWD', '30', 3_000],
  ['JPY', '500', 500],
])('%s %s is %i in minor units', (currency_code, value, minor) => {
  expect(isoMinorOf(readAmount({ currency_code, value }, '/amount'))).toBe(minor);
});
