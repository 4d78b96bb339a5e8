import type { BoardOrderEvent } from '../../domain/board.ts';
import { durationText } from '../duration.ts';
import { clockText, laneText, statusText } from '../order-text.ts';
import { type Output, writeLine } from '../terminal.ts';

/** The shift as people read it: a line for everything that happens, with its time. */
export class ShiftLog {
  readonly lines: string[] = [];
  readonly #output: Output;
  readonly #startedAtMs = new Map<number, number>();

  constructor(output: Output) {
    this.#output = output;
  }

  write(text: string, at: string | number = Date.now()): void {
    const line = `[${clockText(at)}] ${text}`;
    this.lines.push(line);
    writeLine(this.#output, line);
  }

  writeMove({ number, lane, from, to, botNumber, at }: BoardOrderEvent): void {
    const laneName = laneText(this.#output, lane);
    const status = statusText(this.#output, to);
    if (to === 'processing') {
      this.#startedAtMs.set(number, Date.parse(at));
      this.write(`bot ${botNumber} picked up order ${number} (${laneName}) → ${status}`, at);
    } else if (to === 'complete') {
      const runMs = Date.parse(at) - (this.#startedAtMs.get(number) ?? Number.NaN);
      this.write(`order ${number} (${laneName}) → ${status} after ${durationText(runMs)}`, at);
    } else if (from === 'processing' && to === 'pending') {
      this.write(`order ${number} (${laneName}) back to ${status}`, at);
    } else {
      this.write(`order ${number} ${laneName} → ${status}`, at);
    }
  }
}
