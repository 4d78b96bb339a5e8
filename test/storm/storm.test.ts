import { expect, it } from 'vitest';
import { type Backend, backends } from '../support/engine.ts';
import { runStorm, type StormReport } from './run-storm.ts';

const seed = Number(process.env.STORM_SEED ?? 20_261_122);
const orderCount = Number(process.env.STORM_ORDERS ?? 16);
const rate = Number(process.env.STORM_RATE ?? 0.15);
/** The short form takes the backend of production; the long one both. */
const wanted = process.env.STORM_BACKEND ?? 'redis';
/** The long form waits for what the engine does by itself, however long that takes. */
const isHurried = process.env.STORM_ORDERS === undefined;

it.each(backends.filter((backend) => wanted === 'both' || wanted === backend))(
  'a storm leaves every order at its end and the money where it belongs, on %s',
  async (backend) => {
    const say = (line: string) => process.stderr.write(`storm: ${line}\n`);
    const report = await runStorm(backend, { seed, orderCount, rate, isHurried, say });
    process.stderr.write(tell(backend, report));
    expect(report.broken.join('\n\n')).toBe('');
    expect(report.leaks.join('\n')).toBe('');
    expect(report.kills, 'it was a storm').toBeGreaterThan(4);
  },
  isHurried ? 300_000 : 24 * 3_600_000,
);

function tell(backend: Backend, { broken, leaks, digests, ...rest }: StormReport): string {
  const lines = Object.entries(rest).map(([name, value]) => `  ${name}: ${JSON.stringify(value)}`);
  return [
    `storm on ${backend}, seed ${seed}: ${broken.length} broken, ${leaks.length} leaks`,
    `  script ${digests.script}, faults ${digests.faults}`,
    ...lines,
    '',
  ].join('\n');
}
