import { fieldsOf } from './paypal-fields.ts';
import { PayPalRefusal } from './paypal-refusal.ts';

/**
 * The currencies that PayPal takes, with the decimals it wants. It differs from ISO 4217: a forint and a Taiwan dollar have no
 * decimals here. Written down apart from the engine's own table, so that a mistake in one is not in both.
 */
const decimalsOf = new Map<string, number>([
  ...'AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD ILS MXN MYR NOK NZD PHP PLN SEK SGD THB USD'
    .split(' ')
    .map((currency): [string, number] => [currency, 2]),
  ['HUF', 0],
  ['JPY', 0],
  ['TWD', 0],
]);

/** An integer of the smallest step that PayPal knows: cents, but whole forints. */
export type Amount = { units: number; currency: string };
export type WireMoney = { currency_code: string; value: string };

/** Reads `{ currency_code, value }` and refuses it in the words PayPal has for what is wrong with it. */
export function readAmount(money: unknown, field: string): Amount {
  const { currency_code: currency, value } = fieldsOf(money);
  if (currency === undefined) throw PayPalRefusal.invalid('MISSING_REQUIRED_PARAMETER', `${field}/currency_code`);
  if (value === undefined) throw PayPalRefusal.invalid('MISSING_REQUIRED_PARAMETER', `${field}/value`);
  if (typeof currency !== 'string' || !/^[A-Z]{3}$/.test(currency))
    throw PayPalRefusal.unprocessable('INVALID_CURRENCY_CODE', `${field}/currency_code`);
  if (typeof value !== 'string' || !/^-?(\d{1,20}(\.\d{1,10})?|\.\d{1,10})$/.test(value))
    throw PayPalRefusal.invalid('INVALID_PARAMETER_SYNTAX', `${field}/value`);
  const decimals = decimalsOf.get(currency);
  if (decimals === undefined) throw PayPalRefusal.unprocessable('CURRENCY_NOT_SUPPORTED', `${field}/currency_code`);
  const [whole = '', fraction = ''] = value.split('.');
  if (decimals === 0 && value.includes('.'))
    throw PayPalRefusal.unprocessable('DECIMALS_NOT_SUPPORTED', `${field}/value`);
  if (fraction.length > decimals) throw PayPalRefusal.unprocessable('DECIMAL_PRECISION', `${field}/value`);
  const units = Number(whole + fraction.padEnd(decimals, '0'));
  if (!Number.isSafeInteger(units) || units <= 0)
    throw PayPalRefusal.unprocessable('CANNOT_BE_ZERO_OR_NEGATIVE', `${field}/value`);
  return { units, currency };
}

export function writeAmount({ units, currency }: Amount): WireMoney {
  const decimals = decimalsOf.get(currency) ?? 2;
  const digits = String(Math.abs(units)).padStart(decimals + 1, '0');
  const text = decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
  return { currency_code: currency, value: units < 0 ? `-${text}` : text };
}

const minorUnitsOfIso = new Map([['JPY', 0]]);

/** The same in the minor unit of ISO 4217, as the sandbox's ledger has it of both providers. */
export function isoMinorOf({ units, currency }: Amount): number {
  const more = (minorUnitsOfIso.get(currency) ?? 2) - (decimalsOf.get(currency) ?? 2);
  return units * 10 ** more;
}
