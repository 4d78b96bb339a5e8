import { expect, it } from 'vitest';
import { RefundExceedsCapturedError } from './errors.ts';

const said = (...[number, left]: ConstructorParameters<typeof RefundExceedsCapturedError>) =>
  new RefundExceedsCapturedError(number, left).message;

it('says why no more goes back, and amounts as people write them', () => {
  expect(said(1042, { amountMinor: 330, currency: 'EUR' })).toContain('no more than 3.30 EUR can be given back');
  expect(said(1042, { amountMinor: 330, currency: 'JPY' })).toContain('no more than 330 JPY can');
  expect(said(1042, { amountMinor: 0, currency: 'EUR' })).toBe(
    'All that was captured of order 1042 was given back already.',
  );
  expect(said(1042, 'counter')).toBe('Order 1042 was paid at the counter: it is given back there.');
  expect(said(1042, 'not_captured')).toMatch(/^Nothing of order 1042 was captured/);
});
