import type { ShopSettings } from '../config-mail.ts';
import { decimalText, minorUnitDigits } from '../domain/currency.ts';
import type { Money } from '../domain/money.ts';

/** How a shop writes what customers read, by its locale and on its clock. */
export interface ShopFormat {
  /** `12,50 €` */
  money(amount: Money): string;
  /** `22 Nov 2026, 16:00` */
  moment(at: Date): string;
  /** `22 Nov 2026` */
  day(at: Date): string;
  /** `7.5` of 7.5 percent */
  percent(rate: number): string;
}

// One calendar and one set of digits: the words around them are English in every locale.
const western = { calendar: 'gregory', numberingSystem: 'latn' } as const;

export function shopFormat({ locale, timeZone }: Pick<ShopSettings, 'locale' | 'timeZone'>): ShopFormat {
  const days = new Intl.DateTimeFormat(locale, { ...western, timeZone, dateStyle: 'medium' });
  const moments = new Intl.DateTimeFormat(locale, { ...western, timeZone, dateStyle: 'medium', timeStyle: 'short' });
  const percents = new Intl.NumberFormat(locale, { numberingSystem: 'latn', maximumFractionDigits: 4 });
  const currencies = new Map<string, Intl.NumberFormat>();

  function money({ amountMinor, currency }: Money): string {
    const digits = minorUnitDigits(currency);
    const format = currencies.get(currency) ?? currencyFormat(locale, currency, digits);
    currencies.set(currency, format);
    // As text: a double does not hold every amount. It is a decimal by construction.
    const sign = amountMinor < 0 ? '-' : '';
    const decimal = `${sign}${decimalText(Math.abs(amountMinor), digits)}` as `${number}`;
    return plain(format.format(decimal));
  }

  return {
    money,
    moment: (at) => plain(moments.format(at)),
    day: (at) => plain(days.format(at)),
    percent: (rate) => plain(percents.format(rate)),
  };
}

function currencyFormat(locale: string, currency: string, digits: number): Intl.NumberFormat {
  return new Intl.NumberFormat(locale, {
    numberingSystem: 'latn',
    style: 'currency',
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** Without marks of direction, which right-to-left locales add; with spaces that every font has. */
function plain(text: string): string {
  return text.replace(/\p{Bidi_Control}/gu, '').replace(/\u202f/g, '\u00a0');
}

/** A name somebody has chosen, fit for one line: no line breaks, nothing unseen that reorders what comes after it. */
export function oneLine(text: string): string {
  return text
    .toWellFormed()
    .normalize('NFC')
    .replace(/\p{Bidi_Control}/gu, '')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();
}

/** Right-to-left words keep to themselves: what stands beside them, such as a comma or an amount, stays where it is. */
export function isolated(text: string): string {
  return /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}]/u.test(text)
    ? `\u2068${text}\u2069`
    : text;
}

/** What it is written in: English, as the shop's locale has it. */
export function languageOf({ locale }: Pick<ShopSettings, 'locale'>): string {
  return /^en(-|$)/i.test(locale) ? locale : 'en';
}

/** `orders@shop.example` of `The Shop <orders@shop.example>`. */
export const addressOf = (mailbox: string) => /<(.+)>$/.exec(mailbox)?.[1] ?? mailbox;
