import { minorUnitDigits } from '../../domain/currency.ts';
import { type ProductImport, productImportSchema } from '../../domain/product.ts';
import { type Heading, quoted, readHeading } from '../csv-lines.ts';
import { isCurrency, minorFrom, moneyText } from '../currency.ts';

export const productColumns = [
  'sku',
  'name',
  'price',
  'currency',
  'description',
  'imageUrl',
  'soundUrl',
  'isAvailable',
] as const;
export type Column = (typeof productColumns)[number];
const optionalColumns = ['description', 'imageUrl', 'soundUrl', 'isAvailable'] as const satisfies readonly Column[];

/** One thing that is wrong in a line. */
export interface LineFault {
  /** Null when it is the line as a whole. */
  column: Column | null;
  problem: string;
  expected: string;
}

const expectedIn: Record<Column, string> = {
  sku: '1 to 64 characters',
  name: '1 to 200 characters',
  price: 'an amount such as 12.50',
  currency: 'three letters of ISO 4217 such as EUR',
  description: 'at most 2,000 characters',
  imageUrl: 'a http(s) address or a path on the server such as /media/tea.svg',
  soundUrl: 'a http(s) address or a path on the server such as /media/ready.wav',
  isAvailable: 'true or false',
};
const highestMinor = productImportSchema.shape.price.shape.amountMinor.maxValue ?? Number.MAX_SAFE_INTEGER;
const yes = ['true', 'yes', '1'];
const no = ['false', 'no', '0'];

export function readProductHeading(text: string): Heading<Column> {
  return readHeading(text, { columns: productColumns, optional: optionalColumns, what: 'a list of products' });
}

/** A product from the cells of a line, or everything that is wrong with it. An empty optional cell says nothing. */
export function productFrom(cells: readonly string[], heading: Heading<Column>): ProductImport | LineFault[] {
  if (cells.length !== heading.columns) {
    const expected = `${heading.columns}, as in the heading (a cell that holds a comma or semicolon needs quotes)`;
    return [{ column: null, problem: `the line has ${cells.length} columns`, expected }];
  }
  const cell = (column: Column) => cells[heading.indexOf[column] ?? -1] ?? '';
  const currency = cell('currency').toUpperCase();
  const faults: LineFault[] = [];
  const refuse = (column: Column) => {
    const text = cell(column);
    if (!faults.some((fault) => fault.column === column)) {
      const expected = column === 'price' && isCurrency(currency) ? priceIn(currency) : expectedIn[column];
      faults.push({ column, problem: text === '' ? 'is empty' : `is ${quoted(text)}`, expected });
    }
  };

  const amountMinor = minorFrom(cell('price'), currency);
  if (!isCurrency(currency)) refuse('currency');
  else if (amountMinor === undefined) refuse('price');
  const availability = cell('isAvailable').toLowerCase();
  if (![...yes, ...no, ''].includes(availability)) refuse('isAvailable');
  const { success, data, error } = productImportSchema.safeParse({
    sku: cell('sku'),
    name: cell('name'),
    price: { amountMinor: amountMinor ?? 0, currency: isCurrency(currency) ? currency : 'EUR' },
    ...(cell('description') && { description: cell('description') }),
    ...(cell('imageUrl') && { imageUrl: cell('imageUrl') }),
    ...(cell('soundUrl') && { soundUrl: cell('soundUrl') }),
    ...(availability && { isAvailable: yes.includes(availability) }),
  });
  for (const { path } of error?.issues ?? []) refuse(productColumns.find((column) => column === path[0]) ?? 'sku');
  return success && faults.length === 0 ? data : faults;
}

function priceIn(currency: string): string {
  const digits = minorUnitDigits(currency);
  const upTo = `up to ${moneyText({ amountMinor: highestMinor, currency })}`;
  if (digits === 0) return `a whole number such as 1250, ${upTo} (${currency} has no decimals)`;
  return `a number such as 12.${'50'.padEnd(digits, '0')}, ${upTo} (${currency} has ${digits} decimals, no thousands separators)`;
}
