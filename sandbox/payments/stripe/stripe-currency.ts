/**
 * What Stripe counts in, by docs.stripe.com/currencies; kept apart from the engine's own table on purpose, so that one checks the other.
 */
const zeroDecimal = words('bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf');
const threeDecimal = words('bhd jod kwd omr tnd');
/** Sent with two decimals that are always 00. */
const wholeUnitsOnly = words('isk ugx');

/** The least that may be charged, where the documents name it. */
const leastCharge = new Map(
  Object.entries({
    usd: 50,
    eur: 50,
    gbp: 30,
    aud: 50,
    brl: 50,
    cad: 50,
    chf: 50,
    czk: 1500,
    dkk: 250,
    hkd: 400,
  }).concat(
    Object.entries({
      huf: 17500,
      inr: 50,
      jpy: 50,
      mxn: 1000,
      myr: 200,
      nok: 300,
      nzd: 50,
      pln: 200,
      ron: 200,
      sek: 300,
    }),
    Object.entries({ sgd: 50, thb: 1000, aed: 200 }),
  ),
);
const mostCharge = 999_999_999_999;

export type AmountFault = { code: string; message: string };

/** Why Stripe would not charge or give back this amount. */
export function whyNotAmount(amount: number, currency: string): AmountFault | null {
  if (threeDecimal.has(currency) && amount % 10 !== 0)
    return {
      code: 'invalid_charge_amount_three_decimal',
      message: `Invalid amount. ${currency.toUpperCase()} amounts must have 0 as their last digit.`,
    };
  if (wholeUnitsOnly.has(currency) && amount % 100 !== 0)
    return {
      code: 'invalid_charge_amount_no_decimal_compatible',
      message: `Invalid amount. Currency ${currency.toUpperCase()} is effectively zero-decimal: amounts must be evenly divisible by 100.`,
    };
  if (amount > mostCharge) return { code: 'amount_too_large', message: 'Amount must be no more than 12 digits.' };
  return null;
}

export function whyNotTotal(amount: number, currency: string): AmountFault | null {
  if (amount < (leastCharge.get(currency) ?? 1))
    return {
      code: 'amount_too_small',
      message: "The Checkout Session's total amount is below the least that may be charged.",
    };
  return whyNotAmount(amount, currency);
}

/** In minor units of ISO 4217, which are not Stripe's for the ariary, the króna and the Ugandan shilling. */
export function isoMinor(amount: number, currency: string): number {
  if (wholeUnitsOnly.has(currency)) return amount / 100;
  return currency === 'mga' ? amount * 100 : amount;
}

export function amountText(amount: number, currency: string): string {
  return isoText(isoMinor(amount, currency), currency);
}

/** `€12.50` of 1250 in minor units of ISO 4217. */
export function isoText(amountMinor: number, currency: string): string {
  const code = currency.toLowerCase();
  const isWhole = wholeUnitsOnly.has(code) || (zeroDecimal.has(code) && code !== 'mga');
  const digits = isWhole ? 0 : threeDecimal.has(code) ? 3 : 2;
  const form = { style: 'currency', currency, minimumFractionDigits: digits, maximumFractionDigits: digits } as const;
  return new Intl.NumberFormat('en', form).format(amountMinor / 10 ** digits);
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(' '));
}
