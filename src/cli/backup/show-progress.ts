import { LiveRegion } from '../live-region.ts';
import { type Output, paint, writeLine } from '../terminal.ts';
import { type PhaseProgress, phaseDone, phaseLine } from './backup-text.ts';

export interface ProgressDisplay {
  show(progress: PhaseProgress): void;
  close(): void;
}

const drawnEveryMs = 100;

/** Each phase with how far it is: drawn in place where a person looks, a line when it is done elsewhere. */
export function showProgress(output: Output): ProgressDisplay {
  const region = output.isTTY === true ? new LiveRegion(output) : null;
  const done: string[] = [];
  let last: { progress: PhaseProgress; startedAt: number } | null = null;
  let drawnAt = 0;
  const endPhase = () => {
    if (!last) return;
    const line = phaseDone(last.progress, performance.now() - last.startedAt);
    if (region) done.push(paint(output, 'dim', line));
    else writeLine(output, line);
    last = null;
  };
  const draw = () =>
    region?.draw(last ? [...done, phaseLine(last.progress, performance.now() - last.startedAt)] : done);
  return {
    show(progress) {
      if (last?.progress.phase !== progress.phase) {
        endPhase();
        last = { progress, startedAt: performance.now() };
      } else last.progress = progress;
      if (performance.now() - drawnAt < drawnEveryMs) return;
      drawnAt = performance.now();
      draw();
    },
    close() {
      endPhase();
      draw();
      region?.close();
    },
  };
}
