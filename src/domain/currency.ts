/**
 * Where the minor unit is not the hundredth: ISO 4217, list one, as of January 2026. Not from Intl, which counts what people write:
 * 0 for the forint, whose minor unit is a hundredth.
 */
const minorUnitDigitsOf = new Map<string, 0 | 3 | 4>([
  ...currencies(0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'),
  ...currencies(3, 'BHD IQD JOD KWD LYD OMR TND'),
  ...currencies(4, 'CLF UYW'),
]);

function currencies<const Digits>(digits: Digits, codes: string): [string, Digits][] {
  return codes.split(' ').map((code) => [code, digits]);
}

/** How many decimals one of the minor unit is: 2 for EUR, where 1250 is 12.50. */
export function minorUnitDigits(currency: string): 0 | 2 | 3 | 4 {
  return minorUnitDigitsOf.get(currency) ?? 2;
}

/** Those whose minor unit is not the hundredth. */
export const unusualCurrencies: readonly string[] = [...minorUnitDigitsOf.keys()];

/** `12.50` of 1250 at two digits; digit by digit, as a double may not hold it. */
export function decimalText(amount: number, digits: number): string {
  const text = String(amount).padStart(digits + 1, '0');
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}
