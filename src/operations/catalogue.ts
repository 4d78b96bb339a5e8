import type { Database } from '../db/pool.ts';
import { listProducts } from '../db/products.ts';
import type { Product } from '../domain/product.ts';
import type { Logger } from '../log.ts';

export interface Catalogue {
  products(): ReadonlyMap<string, Product>;
  refresh(): Promise<void>;
  close(): void;
}

/** The products by sku, kept in the process: an order is priced without a query. Read anew every few seconds and when told. */
export async function openCatalogue(
  { database, log }: { database: Database; log: Logger },
  refreshMs = 2_000,
): Promise<Catalogue> {
  let products: ReadonlyMap<string, Product> = new Map();
  const refresh = async () => {
    products = new Map((await listProducts(database.pool)).map((product) => [product.sku, product]));
  };
  await refresh();
  const timer = setInterval(() => {
    refresh().catch((error: Error) => log.warn({ error: error.message }, 'catalogue not refreshed'));
  }, refreshMs);
  timer.unref();
  return { products: () => products, refresh, close: () => clearInterval(timer) };
}
