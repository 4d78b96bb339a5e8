import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { isEmptyRow, type RefusedLine } from '../csv-lines.ts';
import { CliError } from '../failures.ts';
import { readTillHeading, readTillLine, type TillFormat, type TillLine } from './till-lines.ts';

export interface TillFile {
  /** The lines that can be used, as they stand in the file. */
  lines: TillLine[];
  refused: RefusedLine[];
  /** Of the bytes: the same file gives the same Idempotency-Keys. */
  hash: string;
}

/** Reads a till's export line by line. */
export async function readTillFile(path: string): Promise<TillFile> {
  const hash = createHash('sha256');
  const input = createReadStream(path);
  input.on('data', (bytes) => hash.update(bytes));
  const file: TillFile = { lines: [], refused: [], hash: '' };
  let format: TillFormat | undefined;
  let lineNumber = 0;
  try {
    for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      lineNumber += 1;
      if (isEmptyRow(text)) continue;
      if (format === undefined) {
        format = readTillHeading(text);
        continue;
      }
      const line = readTillLine(text, lineNumber, format);
      if ('reason' in line) file.refused.push(line);
      else file.lines.push(line);
    }
  } catch (error) {
    if (error instanceof CliError || !(error instanceof Error)) throw error;
    throw new CliError(`${path} cannot be read`, [error.message]);
  }
  if (format === undefined) throw new CliError(`${path} is empty`);
  return { ...file, hash: hash.digest('hex') };
}
