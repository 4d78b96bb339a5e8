import { SingleBar } from 'cli-progress';
import { countText } from '../count-text.ts';
import { type Output, writeLine } from '../terminal.ts';

export interface SyncProgress {
  show(sent: number): void;
  close(): void;
}

const lineEach = 100;

/** A bar where a person looks, a line now and then elsewhere. */
export function showSyncProgress(output: Output, total: number): SyncProgress {
  if (!output.isTTY) {
    return {
      show(sent) {
        if (sent % lineEach === 0 || sent === total)
          writeLine(output, `${sent.toLocaleString('en')} of ${countText(total, 'file')} sent`);
      },
      close: () => {},
    };
  }
  const bar = new SingleBar({
    stream: output,
    format: 'sending {bar} {value} of {total} files',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    hideCursor: true,
    gracefulExit: false, // signals are src/cli.ts’s
    formatValue: (value) => value.toLocaleString('en'),
  });
  bar.start(total, 0);
  return { show: (sent) => bar.update(sent), close: () => bar.stop() };
}
