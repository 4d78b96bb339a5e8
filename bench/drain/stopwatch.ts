export interface Stopwatch {
  /** Call when one is done. */
  count(): void;
  /** Resolves when the last one is done. */
  result: Promise<{ perSecond: number }>;
}

/** The rate of `count` things that follow on `warmUp` others. */
export function startStopwatch(warmUp: number, count: number): Stopwatch {
  const { promise, resolve } = Promise.withResolvers<{ perSecond: number }>();
  let done = 0;
  let startedAt = performance.now();
  return {
    count() {
      done += 1;
      if (done === warmUp) startedAt = performance.now();
      if (done === warmUp + count) resolve({ perSecond: (count / (performance.now() - startedAt)) * 1000 });
    },
    result: promise,
  };
}
