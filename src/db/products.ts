import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import type { Product, ProductImport } from '../domain/product.ts';
import { type Db, int8, sql } from './sql.ts';

const productRow = z
  .object({
    sku: z.string(),
    name: z.string(),
    description: z.string(),
    price_minor: int8,
    currency: z.string(),
    image_url: z.string().nullable(),
    sound_url: z.string().nullable(),
    is_available: z.boolean(),
  })
  .transform(
    (row): Product => ({
      sku: row.sku,
      name: row.name,
      description: row.description,
      price: { amountMinor: row.price_minor, currency: row.currency },
      imageUrl: row.image_url,
      soundUrl: row.sound_url,
      isAvailable: row.is_available,
    }),
  );

export function listProducts(db: Db): Promise<readonly Product[]> {
  return db.any(sql.type(productRow)`
    SELECT sku, name, description, price_minor, currency, image_url, sound_url, is_available
    FROM products WHERE deleted_at IS NULL ORDER BY name
  `);
}

/** Adds products, or gives those that exist their new name and price. Returns how many. */
export async function upsertProducts(db: Db, products: readonly ProductImport[]): Promise<number> {
  const { rowCount } = await db.query(sql.unsafe`
    INSERT INTO products (id, sku, name, price_minor, currency)
    SELECT * FROM ${sql.unnest(
      products.map(({ sku, name, price }) => [uuidv7(), sku, name, price.amountMinor, price.currency]),
      ['uuid', 'text', 'text', 'int8', 'text'],
    )}
    ON CONFLICT (sku) WHERE deleted_at IS NULL
    DO UPDATE SET name = excluded.name, price_minor = excluded.price_minor, currency = excluded.currency, updated_at = now()
  `);
  return rowCount;
}
