const quote = 0x22;
const backslash = 0x5c;
const newline = 0x0a;

/**
 * How Postgres writes and reads the CSV of a backup. A quoted quote is `\"` and not the `""` of other CSV: with that, a text with a
 * line `\.` in it, which any customer can write into a note, would end the data for psql before version 18.
 */
export const csvFormat = `(FORMAT csv, ESCAPE '\\', ENCODING 'UTF8')`;

/** Follows CSV as it streams by: where rows end, which a newline within quotes does not. */
export class CsvRows {
  rows = 0;
  #isQuoted = false;
  #isEscaped = false;

  /** The place behind the last row that ends in this chunk; 0 when none does. */
  follow(chunk: Uint8Array): number {
    let isQuoted = this.#isQuoted;
    let isEscaped = this.#isEscaped;
    let rows = 0;
    let end = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      if (isEscaped) isEscaped = false;
      else if (isQuoted) {
        if (byte === backslash) isEscaped = true;
        else if (byte === quote) isQuoted = false;
      } else if (byte === quote) isQuoted = true;
      else if (byte === newline) {
        rows++;
        end = at + 1;
      }
    }
    this.#isQuoted = isQuoted;
    this.#isEscaped = isEscaped;
    this.rows += rows;
    return end;
  }
}

/** Pieces of some length, each as its chunks and of whole rows: valid CSV of its own. A row longer than a piece makes a longer piece. */
export async function* cutAtRows(
  source: AsyncIterable<Buffer>,
  pieceBytes: number,
  onRows: (rows: number) => void,
): AsyncGenerator<Buffer[]> {
  const scan = new CsvRows();
  let waiting: Buffer[] = [];
  let size = 0;
  for await (const chunk of source) {
    const before = scan.rows;
    const end = scan.follow(chunk);
    onRows(scan.rows - before);
    let rest = chunk;
    if (end > 0 && size + end >= pieceBytes) {
      yield [...waiting, chunk.subarray(0, end)];
      waiting = [];
      size = 0;
      rest = chunk.subarray(end);
    }
    waiting.push(rest);
    size += rest.length;
  }
  if (size > 0) yield waiting;
}
