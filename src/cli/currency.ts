import type { Money } from '../domain/money.ts';

/** ISO 4217 where it is not two. Not from Intl: that counts what people write, 0 for the forint, whose minor unit is a hundredth. */
const minorDigitsOf = new Map(
  Object.entries({
    0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
    3: 'BHD IQD JOD KWD LYD OMR TND',
    4: 'CLF UYW',
  }).flatMap(([digits, currencies]) => currencies.split(' ').map((currency) => [currency, Number(digits)] as const)),
);
const knownCurrencies = new Set([...Intl.supportedValuesOf('currency'), ...minorDigitsOf.keys()]);

export function isCurrency(code: string): boolean {
  return knownCurrencies.has(code);
}

/** How many decimals an amount of this currency can have. */
export function minorDigits(currency: string): number {
  return minorDigitsOf.get(currency) ?? 2;
}

/** The fraction digits are the currency's own: 1250 EUR is €12.50, 1250 JPY is ¥1,250. */
export function moneyText({ amountMinor, currency }: Money): string {
  const digits = minorDigits(currency);
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
  const digits = minorDigits(currency);
  if (whole === undefined || fraction.length > digits) return undefined;
  return Number(whole + fraction.padEnd(digits, '0'));
}
