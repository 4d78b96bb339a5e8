import type { Readable, Writable } from 'node:stream';
import { stripVTControlCharacters, styleText } from 'node:util';

/** A stream of the process: a terminal or a pipe. */
export type Output = Writable & { isTTY?: boolean; columns?: number; rows?: number };

/** What a command has of the outside: nothing below src/cli.ts reads the process itself. */
export interface Terminal {
  stdin: Readable & { isTTY?: boolean };
  stdout: Output;
  stderr: Output;
  env: Record<string, string | undefined>;
  /** The folder of the checkout, where `npm start` leaves its `.data/run.json`. */
  projectFolder: string;
  /** Aborted by Ctrl-C and SIGTERM. */
  signal: AbortSignal;
}

/** Colour where a person looks; plain in pipes, and with NO_COLOR. */
export function paint(output: Output, style: Parameters<typeof styleText>[0], text: string): string {
  return output.isTTY === true ? styleText(style, text, { stream: output }) : text;
}

/** Names and notes come from strangers: what could move the cursor or hide text must not reach a terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return stripVTControlCharacters(text).replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]+/g, ' ');
}

export function writeLine(output: Output, line = ''): void {
  output.write(`${line}\n`);
}

export function writeJson(output: Output, value: unknown): void {
  output.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Left-aligned columns under a dim heading. */
export function writeTable(output: Output, heading: string[], rows: string[][]): void {
  const widths = heading.map((title, column) =>
    Math.max(visibleWidth(title), ...rows.map((row) => visibleWidth(row[column] ?? ''))),
  );
  const line = (cells: string[]) =>
    cells
      .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - visibleWidth(cell))))
      .join('  ')
      .trimEnd();
  writeLine(output, paint(output, 'dim', line(heading)));
  for (const row of rows) writeLine(output, line(row));
}

export function visibleWidth(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}
