import { expect, it } from 'vitest';
import { backends, startEngine } from '../support/engine.ts';
import { runFuzz } from './run-fuzz.ts';

const seed = Number(process.env.FUZZ_SEED ?? 20_261_122);
const requestCount = Number(process.env.FUZZ_REQUESTS ?? 300);
/** With so many requests, each operation has served one. */
const enoughForAll = 3_000;

it.each(backends)(
  'answers whatever comes as the document says, and stores nothing for what it refuses, on %s',
  async (backend) => {
    const engine = await startEngine(backend, { roles: [], env: { TRUST_PROXY: '1' } });
    try {
      const { requests, routes, statuses, faults, neverServed } = await runFuzz(engine, { seed, requestCount });
      console.log(
        `fuzz on ${backend}: ${requests} requests, ${routes} routes, seed ${seed}, ${faults.length} faults (${statuses})`,
      );
      expect(faults.join('\n\n')).toBe('');
      if (requestCount >= enoughForAll) expect(neverServed).toEqual([]);
    } finally {
      await engine.close();
    }
  },
  3_600_000,
);
