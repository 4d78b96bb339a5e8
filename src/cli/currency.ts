import { minorUnitDigits, unusualCurrencies } from '../domain/currency.ts';
import type { Money } from '../domain/money.ts';

const knownCurrencies = new Set([...Intl.supportedValuesOf('currency'), ...unusualCurrencies]);

export function isCurrency(code: string): boolean {
  return knownCurrencies.has(code);
}

/** The fraction digits are the currency's own: 1250 EUR is €12.50, 1250 JPY is ¥1,250. */
export function moneyText({ amountMinor, currency }: Money): string {
  const digits = minorUnitDigits(currency);
  const format = new Intl.NumberFormat('en', {
    style: 'currency',
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return format.format(amountMinor / 10 ** digits);
}

/** `12.50` and `12,5` EUR → 1250, digit by digit; undefined for what is no amount of this currency. */
export function minorFrom(text: string, currency: string): number | undefined {
  const [, whole, fraction = ''] = /^(\d{1,12})(?:[.,](\d+))?$/.exec(text) ?? [];
  const digits = minorUnitDigits(currency);
  if (whole === undefined || fraction.length > digits) return undefined;
  return Number(whole + fraction.padEnd(digits, '0'));
}
