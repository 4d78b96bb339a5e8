import { z } from 'zod';
import { type ProductImport, productSchema } from '../../domain/product.ts';
import { askFor, type Server } from '../api-client.ts';
import type { TillLine } from './till-lines.ts';

const productsAnswer = z.object({ products: z.array(productSchema) });
const importAnswer = z.object({ imported: z.int() });
const importedAtOnce = 100;

export interface Catalogue {
  skus: ReadonlySet<string>;
  /** Of the prices that are there. */
  currency: string | undefined;
}

export async function readCatalogue(server: Server): Promise<Catalogue> {
  const { value } = await askFor(server, { method: 'GET', path: '/v1/products' }, productsAnswer);
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

export async function importProducts(server: Server, products: readonly ProductImport[]): Promise<number> {
  let imported = 0;
  for (let at = 0; at < products.length; at += importedAtOnce) {
    const body = { products: products.slice(at, at + importedAtOnce) };
    const { value } = await askFor(
      server,
      { method: 'POST', path: '/v1/admin/products', as: 'admin', body },
      importAnswer,
    );
    imported += value.imported;
  }
  return imported;
}

/** `flat-white` → `Flat white` */
function nameFrom(sku: string): string {
  const words = sku.replace(/[-_\s]+/g, ' ').trim() || sku;
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** `2.40` EUR → 240; the currency knows how many digits its minor unit has. */
function minorOf(major: string, currency: string): number {
  const { maximumFractionDigits = 2 } = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions();
  return Math.round(Number(major) * 10 ** maximumFractionDigits);
}
