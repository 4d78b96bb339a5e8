import { SingleBar } from 'cli-progress';
import { type Output, writeLine } from './terminal.ts';

export interface SendingBar {
  show(done: number): void;
  close(): void;
}

/** A bar where a person looks; elsewhere a line for every so many. */
export function showSending(
  output: Output,
  { total, things, lineEach = 1 }: { total: number; things: string; lineEach?: number },
): SendingBar {
  if (!output.isTTY) {
    return {
      show(done) {
        if (done % lineEach === 0 || done === total)
          writeLine(output, `${done.toLocaleString('en')} of ${total.toLocaleString('en')} ${things} sent`);
      },
      close: () => {},
    };
  }
  const bar = new SingleBar({
    stream: output,
    format: `sending {bar} {value} of {total} ${things}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    hideCursor: true,
    gracefulExit: false, // signals are src/cli.ts’s
    formatValue: (value) => value.toLocaleString('en'),
  });
  bar.start(total, 0);
  return { show: (done) => bar.update(done), close: () => bar.stop() };
}
