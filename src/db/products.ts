import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import type { Product, ProductImport } from '../domain/product.ts';
import { type Db, int8, nothing, sql } from './sql.ts';

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

/** The columns that an import may leave out. */
const optionalColumns = [
  { name: 'description', type: 'text', read: ({ description }: ProductImport) => description },
  { name: 'image_url', type: 'text', read: ({ imageUrl }: ProductImport) => imageUrl },
  { name: 'sound_url', type: 'text', read: ({ soundUrl }: ProductImport) => soundUrl },
  { name: 'is_available', type: 'bool', read: ({ isAvailable }: ProductImport) => isAvailable },
] as const;
type OptionalColumn = (typeof optionalColumns)[number];

/** Adds products, or changes those that exist; what an import leaves out stays as it was. All or none. Returns how many. */
export function upsertProducts(db: Db, products: readonly ProductImport[]): Promise<number> {
  return db.transaction(async (transaction) => {
    // Two imports at once would lock the same products in different orders; readers and orders do not notice.
    await transaction.query(sql.type(nothing)`LOCK TABLE products IN SHARE ROW EXCLUSIVE MODE`);
    let count = 0;
    for (const { columns, alike } of groupByColumns(products)) count += await upsertAlike(transaction, columns, alike);
    return count;
  });
}

/** One statement can only leave columns alone that all of its products leave out. */
function groupByColumns(products: readonly ProductImport[]): { columns: OptionalColumn[]; alike: ProductImport[] }[] {
  const groups = new Map<string, { columns: OptionalColumn[]; alike: ProductImport[] }>();
  for (const product of products) {
    const columns = optionalColumns.filter(({ read }) => read(product) !== undefined);
    const key = columns.map(({ name }) => name).join();
    const group = groups.get(key) ?? { columns, alike: [] };
    group.alike.push(product);
    groups.set(key, group);
  }
  return [...groups.values()];
}

async function upsertAlike(
  db: Db,
  columns: readonly OptionalColumn[],
  products: readonly ProductImport[],
): Promise<number> {
  const names = ['name', 'price_minor', 'currency', ...columns.map(({ name }) => name)].map((name) =>
    sql.identifier([name]),
  );
  const { rowCount } = await db.query(sql.type(nothing)`
    INSERT INTO products (id, sku, ${sql.join(names, sql.fragment`, `)})
    SELECT * FROM ${sql.unnest(
      products.map((product) => [
        uuidv7(),
        product.sku,
        product.name,
        product.price.amountMinor,
        product.price.currency,
        ...columns.map(({ read }) => read(product) ?? null),
      ]),
      ['uuid', 'text', 'text', 'int8', 'text', ...columns.map(({ type }) => type)],
    )}
    ON CONFLICT (sku) WHERE deleted_at IS NULL
    DO UPDATE SET ${sql.join(
      names.map((name) => sql.fragment`${name} = excluded.${name}`),
      sql.fragment`, `,
    )}, updated_at = now()
  `);
  return rowCount;
}
