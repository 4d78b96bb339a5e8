import { expect, it } from 'vitest';
import { isCurrency, minorFrom, moneyText } from './currency.ts';

it.each([
  ['12.50', 'EUR', 1250],
  ['12,5', 'EUR', 1250],
  ['12', 'EUR', 1200],
  ['0', 'EUR', 0],
  ['0.29', 'EUR', 29], // 0.29 * 100 is 28.999999999999996
  ['1.15', 'EUR', 115],
  ['1250', 'JPY', 1250],
  ['1.250', 'KWD', 1250],
  ['1290.50', 'HUF', 129_050], // people write no fillér, ISO 4217 has them
  ['12.505', 'EUR', undefined],
  ['1,250.00', 'EUR', undefined],
  ['12.0', 'JPY', undefined],
  ['-1', 'EUR', undefined],
  ['1e3', 'EUR', undefined],
  ['', 'EUR', undefined],
  ['.5', 'EUR', undefined],
  ['12 €', 'EUR', undefined],
])('%s %s is %s of the minor unit', (text, currency, amountMinor) => {
  expect(minorFrom(text, currency)).toBe(amountMinor);
});

it('shows as many decimals as the currency has', () => {
  const texts = ['EUR', 'JPY', 'KWD', 'HUF'].map((currency) => moneyText({ amountMinor: 1250, currency }));
  expect(texts.map((text) => text.replace(/\s/g, ' '))).toEqual(['€12.50', '¥1,250', 'KWD 1.250', 'HUF 12.50']);
});

it('knows currencies from typing errors', () => {
  expect(['EUR', 'KWD', 'UYW'].map(isCurrency)).toEqual([true, true, true]);
  expect(['EUO', 'eur', 'EURO', ''].map(isCurrency)).toEqual([false, false, false, false]);
});
