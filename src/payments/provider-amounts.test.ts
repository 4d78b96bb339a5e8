import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimalText, minorUnitDigits, unusualCurrencies } from '../domain/currency.ts';
import type { Money } from '../domain/money.ts';
import { type PaymentProvider, paymentProviders } from '../domain/payment.ts';
import { ProviderError } from './payment-gateway.ts';
import { fromPayPal, fromStripe, toPayPal, toStripe, whyNotPayable } from './provider-amounts.ts';

const currencies = [...new Set([...Intl.supportedValuesOf('currency'), ...unusualCurrencies])];
const money = fc.record({
  amountMinor: fc.oneof(
    fc.integer({ min: 1, max: 100_000 }),
    fc.integer({ min: 1, max: 1_000 }).map((whole) => whole * 1_000),
    fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  ),
  currency: fc.constantFrom(...currencies),
});

function thereAndBack(provider: PaymentProvider, amount: Money): Money {
  if (provider === 'stripe') return fromStripe(toStripe(amount), amount.currency.toLowerCase());
  const { value, currency_code } = toPayPal(amount);
  return fromPayPal(value, currency_code);
}

/** The whole amount with as many decimals as anybody has, to compare what is written in different units. */
const inMillionths = (text: string): bigint => {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(6, '0'));
};

describe.each(paymentProviders)('amounts at %s', (provider) => {
  it('are the same there and back, or refused with a sentence, and never anything else', () => {
    fc.assert(
      fc.property(money, (amount) => {
        const reason = whyNotPayable(provider, amount);
        if (reason === null) {
          expect(thereAndBack(provider, amount)).toEqual(amount);
        } else {
          expect(reason).toMatch(/^[A-Z].*\.$/);
          expect(() => thereAndBack(provider, amount)).toThrow(
            new ProviderError('refused', 'amount_not_payable', reason),
          );
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it('take every currency that they take at all in round amounts', () => {
    for (const currency of currencies) {
      const round = { amountMinor: 1_000_000, currency };
      const reason = whyNotPayable(provider, round);
      if (reason === null) expect(thereAndBack(provider, round), currency).toEqual(round);
      else expect(reason).toBe(`${provider === 'stripe' ? 'Stripe' : 'PayPal'} takes no ${currency}.`);
    }
  });

  it('need something to pay', () => {
    expect(whyNotPayable(provider, { amountMinor: 0, currency: 'EUR' })).toBe('There is nothing to pay.');
  });
});

it('says to PayPal what ISO 4217 says, only written as a decimal', () => {
  fc.assert(
    fc.property(money, (amount) => {
      fc.pre(whyNotPayable('paypal', amount) === null);
      const iso = decimalText(amount.amountMinor, minorUnitDigits(amount.currency));
      expect(inMillionths(toPayPal(amount).value)).toBe(inMillionths(iso));
    }),
    { numRuns: 3_000 },
  );
});

it('reads what Stripe sends as it would send it back', () => {
  const sent = fc.record({ amount: fc.integer({ min: 1, max: 10_000_000 }), currency: fc.constantFrom(...currencies) });
  fc.assert(
    fc.property(sent, ({ amount, currency }) => {
      const read = attempt(() => fromStripe(amount, currency.toLowerCase()));
      fc.pre(read !== null && whyNotPayable('stripe', read) === null);
      expect(toStripe(read as Money)).toBe(amount);
    }),
    { numRuns: 3_000 },
  );
});

function attempt<Value>(action: () => Value): Value | null {
  try {
    return action();
  } catch {
    return null;
  }
}

it.each([
  ['EUR', 1250, 1250],
  ['JPY', 1250, 1250],
  ['KWD', 1250, 1250],
  ['HUF', 1250, 1250], // whole forints are asked for in payouts alone
  ['TWD', 1250, 1250],
  ['ISK', 500, 50_000], // no decimals in ISO 4217, two at Stripe
  ['UGX', 500, 50_000],
  ['MGA', 500, 5], // two in ISO 4217, none at Stripe
  ['EUR', 999_999_999_999, 999_999_999_999],
])('%s %i of the minor unit are %i at Stripe', (currency, amountMinor, amount) => {
  expect(toStripe({ currency, amountMinor })).toBe(amount);
  expect(fromStripe(amount, currency.toLowerCase())).toEqual({ currency, amountMinor });
});

it.each([
  ['EUR', 1250, '12.50'],
  ['USD', 5, '0.05'],
  ['JPY', 1250, '1250'],
  ['HUF', 129_000, '1290'], // two decimals in ISO 4217, none at PayPal
  ['TWD', 500, '5'],
])('%s %i of the minor unit are %s at PayPal', (currency, amountMinor, value) => {
  expect(toPayPal({ currency, amountMinor })).toEqual({ currency_code: currency, value });
  expect(fromPayPal(value, currency)).toEqual({ currency, amountMinor });
});

it.each([
  ['stripe', 'KWD', 1251, 'Stripe takes KWD in at most 2 decimals only, which 1.251 KWD is not.'],
  ['stripe', 'MGA', 550, 'Stripe takes MGA in whole amounts only, which 5.50 MGA is not.'],
  ['stripe', 'IQD', 1000, 'Stripe takes no IQD.'],
  ['stripe', 'CLF', 10_000, 'Stripe takes no CLF.'],
  ['stripe', 'EUR', 1_000_000_000_000, 'Stripe takes no amount as large.'],
  ['stripe', 'ISK', Number.MAX_SAFE_INTEGER, 'Stripe takes no amount as large.'],
  ['paypal', 'HUF', 129_050, 'PayPal takes HUF in whole amounts only, which 1290.50 HUF is not.'],
  ['paypal', 'TWD', 1250, 'PayPal takes TWD in whole amounts only, which 12.50 TWD is not.'],
  ['paypal', 'KWD', 1250, 'PayPal takes no KWD.'],
  ['paypal', 'INR', 1250, 'PayPal takes no INR.'],
] as const)('is refused at %s: %s %i', (provider, currency, amountMinor, reason) => {
  expect(whyNotPayable(provider, { currency, amountMinor })).toBe(reason);
});

it('reads decimals that say nothing, and no others', () => {
  expect(fromPayPal('1290.00', 'HUF')).toEqual({ amountMinor: 129_000, currency: 'HUF' });
  expect(fromPayPal('12.5', 'EUR')).toEqual({ amountMinor: 1250, currency: 'EUR' });
  for (const value of ['12.505', '-12.50', '1e3', '12,50', '', '.5', ' 12', '9'.repeat(40)]) {
    expect(() => fromPayPal(value, 'EUR'), value).toThrow(ProviderError);
  }
  for (const [amount, currency] of [
    [550, 'isk'],
    [1.5, 'eur'],
    [-1, 'eur'],
    [1, 'iqd'],
    [2 ** 53, 'eur'],
  ] as const) {
    expect(() => fromStripe(amount, currency), currency).toThrow(ProviderError);
  }
});
