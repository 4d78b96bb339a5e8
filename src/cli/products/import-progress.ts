import { SingleBar } from 'cli-progress';
import { type Output, writeLine } from '../terminal.ts';

export interface ImportProgress {
  show(linesDone: number): void;
  close(): void;
}

/** A bar where a person looks, a line for each step elsewhere. */
export function showProgress(output: Output, total: number): ImportProgress {
  if (!output.isTTY) {
    return {
      show: (linesDone) =>
        writeLine(output, `${linesDone.toLocaleString('en')} of ${total.toLocaleString('en')} products sent`),
      close: () => {},
    };
  }
  const bar = new SingleBar({
    stream: output,
    format: 'sending {bar} {value} of {total} products',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    hideCursor: true,
    gracefulExit: false, // signals are src/cli.ts’s
    formatValue: (value) => value.toLocaleString('en'),
  });
  bar.start(total, 0);
  return { show: (linesDone) => bar.update(linesDone), close: () => bar.stop() };
}
