import { stripVTControlCharacters } from 'node:util';
import type { Output } from './terminal.ts';

const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
const clearDown = '\u001b[J';

/** A few lines at the end of the terminal that are drawn anew in place. Only for a TTY. */
export class LiveRegion {
  #output: Output;
  #drawnLines = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  draw(lines: string[]): void {
    const height = Math.max(1, (this.#output.rows ?? 24) - 1); // a taller picture would scroll, and be drawn again and again
    const shown = lines.slice(0, height).map((line) => fitLine(line, (this.#output.columns ?? 80) - 1));
    this.#output.write(`${hideCursor}${this.#backToTop()}${shown.map((line) => `${line}\n`).join('')}`);
    this.#drawnLines = shown.length;
  }

  /** Leaves the last picture where it is, and the cursor below it. */
  close(): void {
    this.#output.write(showCursor);
    this.#drawnLines = 0;
  }

  #backToTop(): string {
    return this.#drawnLines === 0 ? '' : `\u001b[${this.#drawnLines}A\r${clearDown}`;
  }
}

/** A line that wraps would count as two, and the picture would creep down the screen. */
export function fitLine(line: string, width: number): string {
  if ([...stripVTControlCharacters(line)].length <= width) return line;
  let visible = 0;
  let fitted = '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours take no room
  for (const [piece] of line.matchAll(/\u001b\[[0-9;]*m|./gsu)) {
    if (piece.startsWith('\u001b')) fitted += piece;
    else if (visible < width - 1) {
      fitted += piece;
      visible += 1;
    }
  }
  return `${fitted}…`;
}

/** How full something is, in eighths of a character. */
export function barText(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  const part = ' ▏▎▍▌▋▊▉'[eighths % 8] ?? '';
  return ('█'.repeat(Math.floor(eighths / 8)) + (eighths % 8 === 0 ? '' : part)).padEnd(width, '░');
}

/** The last values as small columns, the highest one full. */
export function sparkText(values: readonly number[]): string {
  const highest = Math.max(...values, 1);
  return values.map((value) => '▁▂▃▄▅▆▇█'[Math.min(7, Math.round((value / highest) * 7))]).join('');
}
