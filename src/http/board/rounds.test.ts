import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { Rounds } from './rounds.ts';

let rounds: Rounds;
afterEach(() => rounds.close());

/** Rounds that end when the test says so. */
function controlled(dueMs = 60_000) {
  const running: { end: () => void; fail: (error: Error) => void }[] = [];
  let atOnce = 0;
  let most = 0;
  rounds = new Rounds({
    gapMs: 1,
    retryMs: 5,
    go: async () => {
      most = Math.max(most, ++atOnce);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      running.push({ end: resolve, fail: reject });
      await promise.finally(() => atOnce--);
      return dueMs;
    },
  });
  const started = async (count: number) => {
    while (running.length < count) await turn();
    return running[count - 1]!;
  };
  return { running, started, most: () => most };
}

describe('rounds', () => {
  it('give those who ask during one the next, one for all, never two at once', async () => {
    const { running, started, most } = controlled();
    const first = rounds.ask();
    const one = await started(1);
    const waiting = [rounds.ask(), rounds.ask(), rounds.ask()];
    one.end();
    await first;
    (await started(2)).end();
    await Promise.all(waiting);
    expect([running.length, most()]).toEqual([2, 1]);
  });

  it('tell a failure to those who asked for it, and go on by themselves', async () => {
    const { started } = controlled();
    const asked = rounds.ask();
    (await started(1)).fail(new Error('no database'));
    await expect(asked).rejects.toThrow('no database');
    (await started(2)).end();
  });

  it('come again when the last one says', async () => {
    const { started } = controlled(1);
    rounds.poke();
    for (const count of [1, 2, 3]) (await started(count)).end();
  });

  it('do not begin once they are closed', async () => {
    const { running, started } = controlled(1);
    rounds.poke();
    const one = await started(1);
    const asked = rounds.ask();
    const closed = rounds.close();
    one.end();
    await expect(asked).rejects.toMatchObject({ code: 'service_unavailable' });
    await closed;
    rounds.poke();
    await turn();
    expect(running).toHaveLength(1);
  });
});
