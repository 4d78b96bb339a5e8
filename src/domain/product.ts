import { z } from 'zod';
import { currencySchema, moneySchema } from './money.ts';
import { textSchema } from './text.ts';

export const skuSchema = z.string().min(1).max(64);

export const productSchema = z
  .object({
    sku: skuSchema,
    name: z.string(),
    description: z.string(),
    price: moneySchema,
    imageUrl: z.string().nullable(),
    soundUrl: z.string().nullable().describe('Played when an order of it is ready'),
    isAvailable: z.boolean(),
  })
  .meta({ id: 'Product', description: 'What can be ordered.' });
export type Product = z.infer<typeof productSchema>;

/** Where a picture or a sound is: elsewhere by http(s), or by an absolute path on this server. */
const mediaUrlSchema = z
  .string()
  .max(2_048)
  .regex(/^(https?:\/\/|\/)[!-.0-[\]-~\u00a1-\ud7ff\ue000-\ufffd][!-[\]-~\u00a1-\ud7ff\ue000-\ufffd]*$/, {
    error: 'takes a http(s) address or a path such as /media/tea.svg',
    abort: true,
  })
  .refine((text) => URL.canParse(text, 'https://server.invalid'), 'is not an address');

/** A product as an import brings it. What is left out stays as it was. */
export const productImportSchema = z
  .strictObject({
    sku: textSchema(64).min(1),
    name: textSchema(200).min(1),
    price: z.strictObject({ amountMinor: z.int().min(0).max(100_000_000), currency: currencySchema }),
    description: textSchema(2_000).exactOptional(),
    imageUrl: mediaUrlSchema.nullable().exactOptional(),
    soundUrl: mediaUrlSchema.nullable().exactOptional(),
    isAvailable: z.boolean().exactOptional(),
  })
  .meta({ id: 'ProductImport', description: 'A product as an import brings it. What is left out stays as it was.' });
export type ProductImport = z.infer<typeof productImportSchema>;
