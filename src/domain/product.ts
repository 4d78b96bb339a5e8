import { z } from 'zod';
import { currencySchema, moneySchema } from './money.ts';
import { textSchema } from './text.ts';

export const skuSchema = z.string().min(1).max(64);

export const productSchema = z.object({
  sku: skuSchema,
  name: z.string(),
  description: z.string(),
  price: moneySchema,
  imageUrl: z.string().nullable(),
  soundUrl: z.string().nullable(),
  isAvailable: z.boolean(),
});
export type Product = z.infer<typeof productSchema>;

/** A product as an import brings it. */
export const productImportSchema = z.strictObject({
  sku: textSchema(64).min(1),
  name: textSchema(200).min(1),
  price: z.strictObject({ amountMinor: z.int().min(0).max(100_000_000), currency: currencySchema }),
});
export type ProductImport = z.infer<typeof productImportSchema>;
