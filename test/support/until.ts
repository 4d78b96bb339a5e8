import { setTimeout as delay } from 'node:timers/promises';

/** Asks until the answer is not undefined, false or null. Fails after `timeoutMs` with what was last seen. */
export async function until<T>(
  what: string,
  ask: () => Promise<T> | T,
  timeoutMs = 10_000,
): Promise<Exclude<T, false | null | undefined>> {
  const giveUpAt = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== null && answer !== false)
        return answer as Exclude<T, false | null | undefined>;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > giveUpAt)
      throw new Error(`${what}: not within ${timeoutMs} ms; last: ${String(last)}`, { cause: last });
    await delay(10);
  }
}
