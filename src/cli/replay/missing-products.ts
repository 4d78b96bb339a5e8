import { z } from 'zod';
import { minorUnitDigits } from '../../domain/currency.ts';
import { type ProductImport, productSchema } from '../../domain/product.ts';
import { askFor, type Server } from '../api-client.ts';
import { minorFrom } from '../currency.ts';
import type { TillLine } from './till-lines.ts';

const productsAnswer = z.object({ products: z.array(productSchema) });

export interface Catalogue {
  skus: ReadonlySet<string>;
  /** Of the prices that are there. */
  currency: string | undefined;
}

export async function readCatalogue(server: Server): Promise<Catalogue> {
  const { value } = await askFor(server, { method: 'GET', path: '/v1/products', as: 'nobody' }, productsAnswer);
  return { skus: new Set(value.products.map(({ sku }) => sku)), currency: value.products[0]?.price.currency };
}

/** What the file sells and the catalogue does not know, at the price that the file names most often. */
export function missingProducts(
  lines: readonly TillLine[],
  known: ReadonlySet<string>,
  currency: string,
): { products: ProductImport[]; withoutPrice: string[] } {
  const pricesOf = new Map<string, Map<string, number>>();
  for (const { sku, unitPrice } of lines) {
    if (known.has(sku)) continue;
    const prices = pricesOf.get(sku) ?? new Map<string, number>();
    pricesOf.set(sku, prices);
    if (unitPrice !== null) prices.set(unitPrice, (prices.get(unitPrice) ?? 0) + 1);
  }
  const products: ProductImport[] = [];
  const withoutPrice: string[] = [];
  for (const [sku, prices] of pricesOf) {
    const [usual] = [...prices].sort(([, count], [, otherCount]) => otherCount - count);
    if (usual === undefined) withoutPrice.push(sku);
    else products.push({ sku, name: nameFrom(sku), price: { amountMinor: minorOf(usual[0], currency), currency } });
  }
  return { products, withoutPrice };
}

/** `flat-white` → `Flat white` */
function nameFrom(sku: string): string {
  const words = sku.replace(/[-_\s]+/g, ' ').trim() || sku;
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** `2.40` EUR → 240. A till that writes more decimals than the currency has means the nearest amount. */
function minorOf(major: string, currency: string): number {
  return minorFrom(major, currency) ?? Math.round(Number(major) * 10 ** minorUnitDigits(currency));
}
