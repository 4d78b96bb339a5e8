import { parse } from 'csv-parse/sync';
import { CliError } from './failures.ts';

/** A line of a file that was not taken, and why. */
export interface RefusedLine {
  line: number;
  reason: string;
}

/** What the first line of a file says of the others. */
export interface Heading<Column extends string> {
  delimiter: string;
  /** How many there are in each line. */
  columns: number;
  indexOf: Partial<Record<Column, number>>;
  /** Names that mean nothing here. */
  passedOver: string[];
}

/** Finds the columns by their names, in any order; `imageUrl`, `image_url` and `Image URL` are the same. */
export function readHeading<Column extends string>(
  text: string,
  { columns, optional, what }: { columns: readonly Column[]; optional: readonly Column[]; what: string },
): Heading<Column> {
  const delimiter = [',', ';', '\t'].reduce((best, one) =>
    text.split(one).length > text.split(best).length ? one : best,
  );
  const names = splitLine(text.replace(/^\uFEFF/, ''), delimiter) ?? [];
  const plain = names.map(plainName);
  const indexOf: Partial<Record<Column, number>> = {};
  for (const column of columns) {
    const index = plain.indexOf(plainName(column));
    if (index === -1) continue;
    if (plain.lastIndexOf(plainName(column)) !== index) throw new CliError(`the heading names ${column} twice`);
    indexOf[column] = index;
  }
  const missing = columns.filter((column) => indexOf[column] === undefined && !optional.includes(column));
  if (missing.length > 0) {
    throw new CliError(`the first line is not the heading of ${what}: ${missing.join(', ')} missing`, [
      `expected, in any order: ${columns.join(',')}`,
    ]);
  }
  const known = new Set(columns.map(plainName));
  const passedOver = names.filter((name, index) => name !== '' && !known.has(plain[index] ?? ''));
  return { delimiter, columns: names.length, indexOf, passedOver };
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/[\s_-]/g, '');
}

/** Spreadsheets end their exports with empty rows. */
export function isEmptyRow(text: string): boolean {
  return /^[\s,;]*$/.test(text);
}

/**
 * One line at a time, so that an unclosed quote costs its own line and not the rest of the file, and line numbers are
 * those of an editor (csv-parse counts a CRLF inside quotes twice). Undefined when a quote is not closed.
 */
export function splitLine(text: string, delimiter: string): string[] | undefined {
  if (!text.includes('"')) return text.split(delimiter).map((cell) => cell.trim()); // nearly every line, and much faster
  try {
    const rows: string[][] = parse(text, { delimiter, trim: true, relax_quotes: true, relax_column_count: true });
    return rows[0] ?? [];
  } catch {
    return undefined; // with relaxed quotes, the only thing left that csv-parse refuses in a line
  }
}

/** A cell as a message shows it. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
