import type { Logger } from '../src/log.ts';

/** Does something again and again, one run at a time; a fault is said once until it is over. `close` waits for the run that is under way. */
export function repeat(
  { log }: { log: Logger },
  everyMs: number,
  failure: string,
  work: () => Promise<unknown>,
): { close(): Promise<void> } {
  let running: Promise<void> | undefined;
  let isFailing = false;
  const run = async () => {
    try {
      await work();
      isFailing = false;
    } catch (error) {
      if (!isFailing) log.warn({ error: (error as Error).message }, failure);
      isFailing = true;
    } finally {
      running = undefined;
    }
  };
  const begin = () => {
    running ??= run();
  };
  begin();
  const timer = setInterval(begin, everyMs);
  return {
    async close() {
      clearInterval(timer);
      await running;
    },
  };
}
