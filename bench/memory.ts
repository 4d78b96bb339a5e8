import { atMost } from './answer.ts';
import { type Drain, measureDrain } from './drain/measure-drain.ts';
import { measureOnFreshDatabase } from './intake/measure-intake.ts';
import { measureInterleaved, type Question } from './question.ts';
import { median, whole } from './statistics.ts';

const connections = 200;
const bots = 25;
/** Longer than the other loads: memory grows until the collector has seen it all. */
const loadSeconds = 10;
const processes = ['web', 'bot host, VIP', 'bot host, normal'] as const;

export const memory: Question = {
  name: 'memory',
  title: 'How much memory a web process and a bot host need under load',
  async ask(bench) {
    if (process.platform !== 'linux') throw new Error('memory is read from /proc: this question needs Linux');
    const seconds = bench.isQuick ? 2 : loadSeconds;
    const drain: Omit<Drain, 'lane'> = { host: 'ours', bots, warmUp: 1_000, count: bench.isQuick ? 4_000 : 40_000 };
    const found = await measureInterleaved(bench, 'memory', processes, async (kind) => {
      if (kind === 'web') {
        const { idleMemoryMb, peakMemoryMb } = await measureOnFreshDatabase({ ...bench, seconds }, 'ours', connections);
        return { idleMemoryMb, peakMemoryMb };
      }
      const lane = kind === 'bot host, VIP' ? 'vip' : 'normal';
      return {
        idleMemoryMb: Number.NaN,
        peakMemoryMb: (await measureDrain(bench.lab, { ...drain, lane })).peakMemoryMb,
      };
    });
    const worst = (process: (typeof processes)[number]) =>
      Math.max(...found[process].map(({ peakMemoryMb }) => peakMemoryMb));
    const idle = median(found.web.map(({ idleMemoryMb }) => idleMemoryMb));
    return {
      tables: [
        {
          title: 'Memory: resident set, its highest mark of all repetitions',
          columns: ['process', 'load', 'idle MB', 'peak MB'],
          rows: [
            ['web', `${connections} connections for ${seconds} s`, whole(idle), whole(worst('web'))],
            ...(['bot host, VIP', 'bot host, normal'] as const).map((process) => [
              process,
              `${bots} bots, ${whole(drain.count)} orders without a pause`,
              '–',
              whole(worst(process)),
            ]),
          ],
          notes: ['MB are 10⁶ bytes; the young generation is limited as in the Procfile.'],
        },
      ],
      bars: [
        atMost('web-memory', worst('web'), 350, 'MB'),
        atMost('bot-host-memory', Math.max(worst('bot host, VIP'), worst('bot host, normal')), 250, 'MB'),
      ],
    };
  },
};
