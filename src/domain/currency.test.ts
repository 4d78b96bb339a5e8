import { expect, it } from 'vitest';
import { decimalText, minorUnitDigits } from './currency.ts';

it.each([
  ['EUR', 2],
  ['JPY', 0],
  ['KWD', 3],
  ['CLF', 4],
  ['HUF', 2], // written without, which Intl counts
  ['TWD', 2],
  ['MGA', 2], // a fifth in truth, a hundredth in ISO 4217
  ['UGX', 0],
  ['ISK', 0],
] as const)('%s has %i decimals', (currency, digits) => {
  expect(minorUnitDigits(currency)).toBe(digits);
});

it.each([
  [1250, 2, '12.50'],
  [5, 2, '0.05'],
  [0, 3, '0.000'],
  [1250, 0, '1250'],
  [Number.MAX_SAFE_INTEGER, 2, '90071992547409.91'],
])('%i with %i decimals is %s', (amount, digits, text) => {
  expect(decimalText(amount, digits)).toBe(text);
});
