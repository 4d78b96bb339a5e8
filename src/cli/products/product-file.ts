import { readFile } from 'node:fs/promises';
import { CsvError, parse } from 'csv-parse/sync';
import type { ProductImport } from '../../domain/product.ts';
import { type Heading, isEmptyRow, quoted, splitLine } from '../csv-lines.ts';
import { CliError } from '../failures.ts';
import { type Column, type LineFault, productFrom, readProductHeading } from './product-columns.ts';

export interface RefusedProduct {
  line: number;
  faults: LineFault[];
}

export interface ProductLine {
  line: number;
  product: ProductImport;
}

export interface ProductFile {
  products: ProductLine[];
  refused: RefusedProduct[];
  /** Columns that mean nothing here: a typing error, perhaps. */
  passedOver: string[];
}

/** More would be a quote that somebody forgot to close. */
const longestCellLines = 50;

/** Reads a list of products. What is wrong with one line is said of that line, and the rest goes on. */
export async function readProductFile(path: string): Promise<ProductFile> {
  const lines = (await readText(path)).split(/\r\n|\n|\r/);
  const headingAt = lines.findIndex((text) => !isEmptyRow(text));
  if (headingAt === -1) throw new CliError(`${path} is empty`);
  const heading = readProductHeading(lines[headingAt] ?? '');
  const file: ProductFile = { products: [], refused: [], passedOver: heading.passedOver };
  const firstLineOf = new Map<string, number>();
  for (const { line, cells } of readRecords(lines, headingAt + 1, heading)) {
    const product = cells === undefined ? [openQuote] : productFrom(cells, heading);
    if (Array.isArray(product)) {
      file.refused.push({ line, faults: product });
      continue;
    }
    const earlier = firstLineOf.get(product.sku);
    if (earlier === undefined) {
      firstLineOf.set(product.sku, line);
      file.products.push({ line, product });
    } else {
      const problem = `is ${quoted(product.sku)}, as in line ${earlier}`;
      file.refused.push({ line, faults: [{ column: 'sku', problem, expected: 'each sku once' }] });
    }
  }
  return file;
}

const openQuote: LineFault = {
  column: null,
  problem: 'a quote is opened and not closed',
  expected: 'a second quote at the end of the cell, and "" for a quote inside it',
};

async function readText(path: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new CliError(`${path} cannot be read`, [error instanceof Error ? error.message : String(error)]);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes); // without its BOM
  } catch {
    throw new CliError(`${path} is not UTF-8`, ['save it as “CSV UTF-8”: other encodings would garble names']);
  }
}

/** The cells of each record. A quoted cell may go on over several lines; undefined when its quote is never closed. */
function* readRecords(
  lines: readonly string[],
  from: number,
  { delimiter, columns }: Heading<Column>,
): Generator<{ line: number; cells: string[] | undefined }, void, void> {
  for (let at = from; at < lines.length; at += 1) {
    const text = lines[at] ?? '';
    if (isEmptyRow(text)) continue;
    const line = at + 1;
    const single = splitLine(text, delimiter);
    const longer = single === undefined ? readLonger(lines, at, delimiter, columns) : undefined;
    if (longer !== undefined) at = longer.lastAt;
    yield { line, cells: single ?? longer?.cells };
  }
}

/** Strict about quotes, and about the number of columns: a forgotten one must not swallow the lines that follow. */
function readLonger(
  lines: readonly string[],
  at: number,
  delimiter: string,
  columns: number,
): { cells: string[]; lastAt: number } | undefined {
  for (let lastAt = at + 1; lastAt < Math.min(lines.length, at + longestCellLines); lastAt += 1) {
    try {
      const text = lines.slice(at, lastAt + 1).join('\n');
      const [cells = []]: string[][] = parse(text, {
        delimiter,
        trim: true,
        record_delimiter: '\n',
        relax_column_count: true,
      });
      return cells.length === columns ? { cells, lastAt } : undefined;
    } catch (error) {
      if (!(error instanceof CsvError) || error.code !== 'CSV_QUOTE_NOT_CLOSED') return undefined;
    }
  }
  return undefined;
}
