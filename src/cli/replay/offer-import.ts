import type { Server } from '../api-client.ts';
import { countText } from '../count-text.ts';
import { sendProducts } from '../products/send-products.ts';
import { askLine } from '../prompt.ts';
import { type Output, printable, type Terminal, writeLine } from '../terminal.ts';
import { missingProducts, readCatalogue } from './missing-products.ts';
import type { TillLine } from './till-lines.ts';

export interface ImportWishes {
  importProducts: boolean;
  currency: string | undefined;
  /** Somebody else reads the output: nobody is there to be asked. */
  json: boolean;
}

/** The skus that can be ordered, after an import if one is wanted. */
export async function settleProducts(
  terminal: Terminal,
  talk: Output,
  server: Server,
  lines: readonly TillLine[],
  wishes: ImportWishes,
): Promise<ReadonlySet<string>> {
  const catalogue = await readCatalogue(server);
  const currency = wishes.currency ?? catalogue.currency ?? 'EUR';
  const { products, withoutPrice } = missingProducts(lines, catalogue.skus, currency);
  if (products.length + withoutPrice.length === 0) return catalogue.skus;
  const names = [...products.map(({ sku }) => sku), ...withoutPrice];
  writeLine(talk, `not in the catalogue: ${printable(names.slice(0, 20).join(', '))}${names.length > 20 ? ', …' : ''}`);
  if (products.length === 0 || !(wishes.importProducts || (await askForImport(terminal, wishes, products.length)))) {
    return catalogue.skus;
  }
  const imported = await sendProducts(server, products);
  writeLine(talk, `${countText(imported, 'product')} imported, at the file's prices in ${currency}`);
  return new Set([...catalogue.skus, ...products.map(({ sku }) => sku)]);
}

async function askForImport(terminal: Terminal, { json }: ImportWishes, count: number): Promise<boolean> {
  if (json || !terminal.stdin.isTTY || !terminal.stdout.isTTY) return false;
  const question = `Import ${count === 1 ? "it at the file's price" : `these ${count} products at the file's prices`}? [y/N] `;
  return /^y(es)?$/i.test((await askLine(terminal, question))?.trim() ?? '');
}
