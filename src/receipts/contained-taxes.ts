import type { TaxSettings } from '../config-mail.ts';
import type { Money } from '../domain/money.ts';
import type { OrderItem } from '../domain/order.ts';

/** What one rate comes to; `net + tax = gross`, in the minor unit. */
export interface ContainedTax {
  /** Percent. */
  rate: number;
  netMinor: number;
  taxMinor: number;
  grossMinor: number;
}

/**
 * The taxes that a payment contains, the highest rate first. Rounded once per rate, half up, not once per line: so the receipt's own
 * numbers add up, and what it shows is what a tax office computes from its sums. Where another amount was paid than the items come to,
 * every rate has its share of it. Items without a rate are in none.
 */
export function containedTaxes(items: readonly OrderItem[], paid: Money, tax: TaxSettings): ContainedTax[] {
  const grossByRate = new Map<number | null, number>();
  for (const { sku, total } of items) {
    const rate = tax.rateBySku.get(sku) ?? tax.rate;
    grossByRate.set(rate, (grossByRate.get(rate) ?? 0) + total.amountMinor);
  }
  const groups = [...grossByRate].sort(([one], [other]) => (other ?? -1) - (one ?? -1));
  const shares = shareOut(
    paid.amountMinor,
    groups.map(([, gross]) => gross),
  );
  return groups.flatMap(([rate], index) => {
    const grossMinor = shares[index] ?? 0;
    if (rate === null) return [];
    const taxMinor = taxWithin(grossMinor, rate);
    return [{ rate, netMinor: grossMinor - taxMinor, taxMinor, grossMinor }];
  });
}

/** `gross × rate ÷ (100 + rate)`, half up; in whole numbers, as a double knows no 8.1 %. */
function taxWithin(grossMinor: number, rate: number): number {
  const hundred = 100_000_000n;
  const part = BigInt(Math.round(rate * 1_000_000));
  const whole = hundred + part;
  return Number((2n * BigInt(grossMinor) * part + whole) / (2n * whole));
}

/** An amount by weights, with nothing lost: what rounding down leaves goes to the largest remainders. */
function shareOut(amount: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((all, weight) => all + BigInt(weight), 0n);
  if (sum === 0n) return weights.map((_, index) => (index === 0 ? amount : 0));
  const exact = weights.map((weight) => BigInt(amount) * BigInt(weight));
  const shares = exact.map((one) => Number(one / sum));
  const left = amount - shares.reduce((all, share) => all + share, 0);
  const byRemainder = exact
    .map((one, index) => ({ index, remainder: one % sum }))
    .sort((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder < b.remainder ? 1 : -1));
  for (const { index } of byRemainder.slice(0, left)) shares[index] = (shares[index] ?? 0) + 1;
  return shares;
}
