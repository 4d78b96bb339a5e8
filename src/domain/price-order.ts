import { InputInvalidError, ProductUnavailableError, ProductUnknownError } from './errors.ts';
import { totalMinor } from './money.ts';
import type { OrderRequest } from './order.ts';
import type { Product } from './product.ts';

export interface PricedOrder {
  items: { sku: string; name: string; quantity: number; unitPriceMinor: number }[];
  totalMinor: number;
  currency: string;
}

/** Prices a request from the catalogue. Throws for a product that is unknown or not available, and for a mixture of currencies. */
export function priceOrder(items: OrderRequest['items'], catalogue: ReadonlyMap<string, Product>): PricedOrder {
  let currency: string | undefined;
  const priced = items.map(({ sku, quantity }, index) => {
    const product = catalogue.get(sku);
    if (!product) throw new ProductUnknownError(sku);
    if (!product.isAvailable) throw new ProductUnavailableError(sku);
    currency ??= product.price.currency;
    if (product.price.currency !== currency)
      throw new InputInvalidError([
        {
          path: `items.${index}.sku`,
          message: `is sold in ${product.price.currency}, the rest of the order in ${currency}`,
        },
      ]);
    return { sku, name: product.name, quantity, unitPriceMinor: product.price.amountMinor };
  });
  return { items: priced, totalMinor: totalMinor(priced), currency: currency ?? 'EUR' };
}
