import { decimalText, minorUnitDigits } from '../domain/currency.ts';
import type { Money } from '../domain/money.ts';
import type { PaymentProvider } from '../domain/payment.ts';
import { ProviderError } from './payment-gateway.ts';

/**
 * Amounts in the form of each provider and back. ISO 4217, Stripe and PayPal do not agree on how many decimals a currency has, and a
 * table of one used for another is wrong by a factor of 100. What cannot be said exactly is refused, never rounded.
 */
interface Form {
  /** Decimals of the provider's unit. */
  digits: number;
  /** It takes multiples of this many of its unit alone. */
  step: number;
}

/**
 * docs.stripe.com/currencies. Two decimals unless said otherwise. UGX stands on that page among those without decimals, and again among
 * the special cases, as sent with two that are always 00; charges show that the second is true. HUF and TWD are special for payouts only.
 */
const stripeForms = new Map<string, Form>([
  ...forms({ digits: 0, step: 1 }, 'BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'),
  ...forms({ digits: 2, step: 100 }, 'ISK UGX'),
  ...forms({ digits: 3, step: 10 }, 'BHD JOD KWD OMR TND'),
]);

/** developer.paypal.com/reference/currency-codes: these and no others. */
const payPalForms = new Map<string, Form>([
  ...forms({ digits: 0, step: 1 }, 'HUF JPY TWD'),
  ...forms(
    { digits: 2, step: 1 },
    'AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD ILS MXN MYR NOK NZD PHP PLN RUB SEK SGD THB USD',
  ),
]);

function forms(form: Form, currencies: string): [string, Form][] {
  return currencies.split(' ').map((currency) => [currency, form]);
}

function formOf(provider: PaymentProvider, currency: string): Form | undefined {
  if (provider === 'paypal') return payPalForms.get(currency);
  // One with other than two decimals that Stripe says nothing of (IQD, CLF) is left alone.
  const usual = minorUnitDigits(currency) === 2 ? { digits: 2, step: 1 } : undefined;
  return stripeForms.get(currency) ?? usual;
}

const nameOf: Record<PaymentProvider, string> = { stripe: 'Stripe', paypal: 'PayPal' };

/** Twelve digits are the most that Stripe takes. PayPal says no bound; nobody orders for more. */
const most = 999_999_999_999;

/** Why the provider cannot take this amount, as a sentence; null when it can. */
export function whyNotPayable(provider: PaymentProvider, money: Money): string | null {
  if (money.amountMinor === 0) return 'There is nothing to pay.';
  return amountIn(provider, money).reason;
}

export function toStripe(money: Money): number {
  return amountOrThrow('stripe', money);
}

export function toPayPal(money: Money): { currency_code: string; value: string } {
  const amount = amountOrThrow('paypal', money);
  return { currency_code: money.currency, value: decimalText(amount, formOf('paypal', money.currency)?.digits ?? 2) };
}

/** Stripe writes its currencies in small letters. */
export function fromStripe(amount: number, currency: string): Money {
  return moneyOrThrow('stripe', amount, currency.toUpperCase());
}

/** `1000.00` JPY is as good as `1000`. */
export function fromPayPal(value: string, currencyCode: string): Money {
  const [, whole, fraction = ''] = /^(\d{1,15})(?:\.(\d{1,15}))?$/.exec(value) ?? [];
  const digits = formOf('paypal', currencyCode)?.digits ?? 2;
  if (whole === undefined || /[1-9]/.test(fraction.slice(digits))) throw notUnderstood('paypal', value, currencyCode);
  return moneyOrThrow('paypal', Number(whole + fraction.slice(0, digits).padEnd(digits, '0')), currencyCode);
}

function amountIn(
  provider: PaymentProvider,
  { amountMinor, currency }: Money,
): { amount: number; reason: null } | { amount: null; reason: string } {
  const form = formOf(provider, currency);
  const name = nameOf[provider];
  if (!form) return { amount: null, reason: `${name} takes no ${currency}.` };
  const ownDigits = minorUnitDigits(currency);
  const amount = scaled(amountMinor, form.digits - ownDigits);
  if (amount !== null && amount > most) return { amount: null, reason: `${name} takes no amount as large.` };
  if (amount === null || amount % form.step !== 0) {
    const text = `${decimalText(amountMinor, ownDigits)} ${currency}`;
    const decimals = form.digits - Math.log10(form.step);
    const allowed = decimals <= 0 ? 'whole amounts' : `at most ${decimals} decimals`;
    return { amount: null, reason: `${name} takes ${currency} in ${allowed} only, which ${text} is not.` };
  }
  return { amount, reason: null };
}

function amountOrThrow(provider: PaymentProvider, money: Money): number {
  const { amount, reason } = amountIn(provider, money);
  if (reason !== null) throw new ProviderError('refused', 'amount_not_payable', reason);
  return amount;
}

function moneyOrThrow(provider: PaymentProvider, amount: number, currency: string): Money {
  const form = formOf(provider, currency);
  const amountMinor = form && scaled(amount, minorUnitDigits(currency) - form.digits);
  if (amountMinor === undefined || amountMinor === null || !Number.isSafeInteger(amountMinor) || amountMinor < 0) {
    throw notUnderstood(provider, String(amount), currency);
  }
  return { amountMinor, currency };
}

/** Times a power of ten, or null where that is no whole number. */
function scaled(amount: number, digits: number): number | null {
  if (digits >= 0) return amount * 10 ** digits;
  const divisor = 10 ** -digits;
  return amount % divisor === 0 ? amount / divisor : null;
}

function notUnderstood(provider: PaymentProvider, amount: string, currency: string): ProviderError {
  const what = `${amount.slice(0, 40)} ${currency.slice(0, 10)}`;
  return new ProviderError('unknown', 'amount_not_understood', `${nameOf[provider]} named an odd amount: ${what}.`);
}
