import type { BackupCall, BackupPhase, BackupProgress } from './backup-deps.ts';

const everyMs = 100;

export interface PhaseProgress {
  /** `total` grows by itself when more is done than was expected. */
  add(count: number): void;
  end(): void;
}

/** Tells of a phase at its beginning, now and then, and at its end. */
export function startPhase(
  { onProgress }: Pick<BackupCall, 'onProgress'>,
  phase: BackupPhase,
  expected: number,
  unit: BackupProgress['unit'],
): PhaseProgress {
  let done = 0;
  let toldAt = 0;
  const tell = (total: number) => {
    toldAt = performance.now();
    onProgress?.({ phase, done, total, unit });
  };
  tell(expected);
  return {
    add(count) {
      done += count;
      if (performance.now() - toldAt >= everyMs) tell(Math.max(done, expected));
    },
    end: () => tell(done),
  };
}
