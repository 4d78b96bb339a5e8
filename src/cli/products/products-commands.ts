import path from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { productSchema } from '../../domain/product.ts';
import { askFor, type Server } from '../api-client.ts';
import { asCalled } from '../called-as.ts';
import { countText } from '../count-text.ts';
import { moneyText } from '../currency.ts';
import { exitCodes } from '../failures.ts';
import { connectAsNobody, examples, needsAdmin, wantsJson } from '../program-options.ts';
import { showSending } from '../sending-bar.ts';
import { type Output, paint, printable, type Terminal, writeJson, writeLine, writeTable } from '../terminal.ts';
import { productColumns } from './product-columns.ts';
import { type ProductFile, type RefusedProduct, readProductFile } from './product-file.ts';
import { sendLines } from './send-products.ts';

const productsAnswer = z.object({ products: z.array(productSchema) });
const refusalsShown = 50;

/** What `--json` says of an import. */
export interface ImportReport {
  file: string;
  isDryRun: boolean;
  /** Lines of the file that hold a product, good or not. */
  lines: number;
  imported: number;
  refused: RefusedProduct[];
  columnsPassedOver: string[];
}

export function addProductsCommands(program: Command, terminal: Terminal, outcome: { exitCode: number }): void {
  const products = program
    .command('products')
    .description('list the catalogue, and import products into it')
    .addHelpText(
      'after',
      examples(
        ['twolane products list', 'what can be ordered'],
        ['twolane products import docs/examples/products.csv', 'new products, new prices'],
      ),
    );
  products
    .command('list')
    .description('list the catalogue')
    .addHelpText('after', examples(['twolane products list', 'skus, names and prices']))
    .action(async (_: object, command: Command) => {
      const server = await connectAsNobody(terminal, command);
      const { value, raw } = await askFor(server, { method: 'GET', path: '/v1/products' }, productsAnswer);
      if (wantsJson(command)) return writeJson(terminal.stdout, raw);
      if (value.products.length === 0)
        return writeLine(terminal.stdout, asCalled(terminal, 'no products: `twolane products import` brings some'));
      writeTable(
        terminal.stdout,
        ['SKU', 'NAME', 'PRICE', ''],
        value.products.map(({ sku, name, price, isAvailable }) => [
          printable(sku),
          printable(name),
          moneyText(price),
          isAvailable ? '' : paint(terminal.stdout, 'yellow', 'NOT AVAILABLE'),
        ]),
      );
    });
  products
    .command('import')
    .description('add the products of a file, and change those that are there')
    .argument('<file.csv>', `one line a product, columns in any order: ${productColumns.join(', ')}`)
    .option('--dry-run', 'check the file, and send nothing')
    .addHelpText(
      'after',
      '\nsku, name, price and currency must be there; what an optional column or an empty cell does not say stays as it was.' +
        '\nUTF-8, with comma, semicolon or tab. Exit code 1 when a line was refused, though the rest was imported.' +
        needsAdmin +
        examples(
          ['twolane products import docs/examples/products.csv --dry-run', 'is the file right?'],
          ['twolane products import products.csv', 'good lines go in, the others are listed'],
        ),
    )
    .action(async (file: string, options: { dryRun?: boolean }, command: Command) => {
      const json = wantsJson(command);
      const read = await readProductFile(file);
      const report = reportOn(file, read, options.dryRun === true);
      if (!report.isDryRun && read.products.length > 0) {
        const server = await connectAsNobody(terminal, command);
        const { imported, refused } = await importAll(json ? terminal.stderr : terminal.stdout, server, read);
        report.imported = imported;
        report.refused = [...report.refused, ...refused].sort((one, other) => one.line - other.line);
      }
      if (json) writeJson(terminal.stdout, report);
      else writeReport(terminal.stdout, report, read.products.length);
      outcome.exitCode = report.refused.length > 0 ? exitCodes.failed : exitCodes.ok;
    });
}

function reportOn(file: string, { products, refused, passedOver }: ProductFile, isDryRun: boolean): ImportReport {
  return {
    file: path.basename(file),
    isDryRun,
    lines: products.length + refused.length,
    imported: 0,
    refused,
    columnsPassedOver: passedOver,
  };
}

async function importAll(output: Output, server: Server, { products }: ProductFile) {
  const progress = showSending(output, { total: products.length, things: 'products' });
  try {
    return await sendLines(server, products, progress.show);
  } finally {
    progress.close();
  }
}

function writeReport(output: Output, report: ImportReport, good: number): void {
  const { columnsPassedOver, refused, imported, isDryRun } = report;
  if (columnsPassedOver.length > 0) {
    writeLine(output, `columns that mean nothing here: ${printable(columnsPassedOver.join(', '))}`);
  }
  for (const { line, faults } of refused.slice(0, refusalsShown)) {
    const texts = faults.map(
      ({ column, problem, expected }) => `${column ? `${column} ` : ''}${problem}; expected ${expected}`,
    );
    writeLine(output, printable(`line ${line} refused: ${texts.join('. ')}`));
  }
  const unsaid = refused.length - refusalsShown;
  if (unsaid > 0) writeLine(output, `and ${countText(unsaid, 'more line')} refused (--json lists them all)`);
  const refusedText = `${countText(refused.length, 'line')} refused`;
  if (isDryRun) writeLine(output, `${countText(good, 'product')} can be imported, ${refusedText}; nothing was sent`);
  else writeLine(output, `${countText(imported, 'product')} imported, ${refusedText}`);
}
