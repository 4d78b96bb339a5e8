import { z } from 'zod';

export const currencySchema = z
  .string()
  .regex(/^[A-Z]{3}$/)
  .describe('ISO 4217');

/** An amount in the minor unit of its currency (ISO 4217): 1250 EUR is 12.50 €. */
export const moneySchema = z
  .object({ amountMinor: z.int().min(0).describe('In the minor unit of the currency'), currency: currencySchema })
  .meta({
    id: 'Money',
    description: 'An amount of money: 1250 EUR is 12.50 €.',
    examples: [{ amountMinor: 1250, currency: 'EUR' }],
  });
export type Money = z.infer<typeof moneySchema>;

/** The total of an order's lines, in minor units. Throws where a double could no longer hold it exactly. */
export function totalMinor(lines: readonly { quantity: number; unitPriceMinor: number }[]): number {
  let total = 0;
  for (const line of lines) total += line.quantity * line.unitPriceMinor;
  if (!Number.isSafeInteger(total)) throw new RangeError('an order total must be a safe integer of the minor unit');
  return total;
}
