import { createInterface } from 'node:readline/promises';
import type { Server } from '../api-client.ts';
import { countText } from '../count-text.ts';
import { InterruptedError } from '../failures.ts';
import { type Output, printable, type Terminal, writeLine } from '../terminal.ts';
import { importProducts, missingProducts, readCatalogue } from './missing-products.ts';
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
  const imported = await importProducts(server, products);
  writeLine(talk, `${countText(imported, 'product')} imported, at the file's prices in ${currency}`);
  return new Set([...catalogue.skus, ...products.map(({ sku }) => sku)]);
}

async function askForImport(
  { stdin, stdout, signal }: Terminal,
  { json }: ImportWishes,
  count: number,
): Promise<boolean> {
  if (json || !stdin.isTTY || !stdout.isTTY) return false;
  const prompt = createInterface({ input: stdin, output: stdout });
  const left = new AbortController();
  let isInterrupted = false;
  prompt.once('close', () => left.abort()); // Ctrl-D
  prompt.once('SIGINT', () => {
    isInterrupted = true; // the prompt holds the terminal in raw mode: no signal reaches the process
    left.abort();
  });
  try {
    const question = `Import ${count === 1 ? "it at the file's price" : `these ${count} products at the file's prices`}? [y/N] `;
    const answer = await prompt.question(question, { signal: AbortSignal.any([signal, left.signal]) });
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    if (signal.aborted || isInterrupted) throw new InterruptedError();
    if (left.signal.aborted) return false;
    throw error;
  } finally {
    prompt.close();
  }
}
