import type { Database } from '../db/pool.ts';
import { listProducts } from '../db/products.ts';
import type { Product } from '../domain/product.ts';
import type { Logger } from '../log.ts';
import type { MediaLibrary } from './media-library.ts';

export interface Catalogue {
  /** With the addresses at which their pictures and sounds are found now. */
  products(): ReadonlyMap<string, Product>;
  refresh(): Promise<void>;
  close(): void;
}

/** The products by sku, kept in the process: an order is priced without a query. Read anew every few seconds and when told. */
export async function openCatalogue(
  { database, media, log }: { database: Database; media: Pick<MediaLibrary, 'urlOf'>; log: Logger },
  refreshMs = 2_000,
): Promise<Catalogue> {
  let products: ReadonlyMap<string, Product> = new Map();
  const refresh = async () => {
    const stored = await listProducts(database.pool);
    products = new Map(
      stored.map((product) => [
        product.sku,
        { ...product, imageUrl: media.urlOf(product.imageUrl), soundUrl: media.urlOf(product.soundUrl) },
      ]),
    );
  };
  await refresh();
  const timer = setInterval(() => {
    refresh().catch((error: Error) => log.warn({ error: error.message }, 'catalogue not refreshed'));
  }, refreshMs);
  timer.unref();
  return { products: () => products, refresh, close: () => clearInterval(timer) };
}
