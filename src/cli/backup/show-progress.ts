import { LiveRegion } from '../live-region.ts';
import { type Output, paint, writeLine } from '../terminal.ts';
import { type PhaseProgress, phaseDone, phaseLine, phaseStopped } from './backup-text.ts';

export interface ProgressDisplay {
  show(progress: PhaseProgress): void;
  /** All of it went well. */
  end(): void;
  /** To be called last, however it went: a phase that was not ended was stopped. */
  close(): void;
}

const drawnEveryMs = 100;

/** Each phase with how far it is: drawn in place where a person looks, a line when it is done elsewhere. */
export function showProgress(output: Output): ProgressDisplay {
  const region = output.isTTY === true ? new LiveRegion(output) : null;
  const done: string[] = [];
  let last: { progress: PhaseProgress; startedAt: number } | null = null;
  let drawnAt = 0;
  const endPhase = (lineOf: (progress: PhaseProgress) => string | null) => {
    const line = last && lineOf(last.progress);
    last = null;
    if (line === null) return;
    if (region) done.push(paint(output, 'dim', line));
    else writeLine(output, line);
  };
  const draw = () =>
    region?.draw(last ? [...done, phaseLine(last.progress, performance.now() - last.startedAt)] : done);
  return {
    show(progress) {
      if (last?.progress.phase !== progress.phase) {
        endPhase(phaseDone);
        last = { progress, startedAt: performance.now() };
      } else last.progress = progress;
      if (performance.now() - drawnAt < drawnEveryMs) return;
      drawnAt = performance.now();
      draw();
    },
    end: () => endPhase(phaseDone),
    close() {
      endPhase(phaseStopped);
      draw();
      region?.close();
    },
  };
}
