import { type Answer, atLeast } from './answer.ts';
import { type DrainSample, measureDrain } from './drain/measure-drain.ts';
import type { Lab } from './lab/lab.ts';
import { startProgram } from './lab/program.ts';
import { cpuColumn } from './lab/usage.ts';
import { measureInterleaved, type Question } from './question.ts';
import { median, medianAndRange } from './statistics.ts';

const hosts = ['raw', 'ours vip', 'ours normal', 'pg-boss', 'graphile-worker'] as const;
type Host = (typeof hosts)[number];

/** So many orders that a cell takes about 2 s. */
const sizes = [
  { bots: 1, warmUp: 300, count: 1_500, target: 1 },
  { bots: 8, warmUp: 2_000, count: 6_000, target: 1.5 },
  { bots: 50, warmUp: 4_000, count: 12_000, target: 2.7 },
] as const;

const said: Record<Host, string> = {
  raw: 'BullMQ Worker, a transaction per step',
  'ours vip': 'ours, all VIP',
  'ours normal': 'ours, all normal',
  'pg-boss': 'pg-boss, jobs of its own',
  'graphile-worker': 'graphile-worker, jobs of its own',
};

export const drain: Question = {
  name: 'drain',
  title: 'How many orders bots get through when the work itself takes no time',
  async ask(bench) {
    const answer: Answer = { tables: [], bars: [] };
    const rows: string[][] = [];
    const complaints: string[] = [];
    for (const { bots, target, ...full } of sizes) {
      const warmUp = bench.isQuick ? full.warmUp / 5 : full.warmUp;
      const count = bench.isQuick ? full.count / 5 : full.count;
      const samples = await measureInterleaved(bench, `drain by ${bots}`, hosts, (host) =>
        measure(bench.lab, host, bots, warmUp, count),
      );
      const rate = (host: Host) => median(samples[host].map((sample) => sample.perSecond));
      for (const host of hosts) {
        rows.push([
          String(bots),
          said[host],
          medianAndRange(samples[host].map(({ perSecond }) => perSecond)),
          cpuColumn(samples[host].flatMap(({ cpu }) => cpu ?? [])),
        ]);
        complaints.push(...samples[host].flatMap((sample) => sample.complaints ?? []));
      }
      answer.bars.push(
        atLeast(`drain-${bots}-to-raw`, Math.min(rate('ours vip'), rate('ours normal')) / rate('raw'), target, 'x'),
      );
    }
    answer.tables.push({
      title: 'Drain: orders and jobs are there before, Redis',
      columns: ['bots', 'host', 'orders/s', 'CPU us/order app/pg/redis'],
      rows,
      notes: [
        'Rate by the database: from the completion that ends the warm-up to the last one. Checked after each run: every order complete at attempt 1 with exactly three events.',
        'The bars take the slower lane of ours. pg-boss and graphile-worker fetch and complete jobs without an order behind them, on Postgres: for information.',
        ...(complaints.length > 0 ? [`Ours logged ${complaints.length} warnings, the first: ${complaints[0]}`] : []),
      ],
    });
    return answer;
  },
};

type Sample = Pick<DrainSample, 'perSecond'> & Partial<DrainSample>;

function measure(lab: Lab, host: Host, bots: number, warmUp: number, count: number): Promise<Sample> {
  if (host === 'pg-boss' || host === 'graphile-worker') return measureOther(lab, host, bots, warmUp, count);
  const lane = host === 'ours vip' ? 'vip' : 'normal';
  return measureDrain(lab, { host: host === 'raw' ? 'raw' : 'ours', lane, bots, warmUp, count });
}

async function measureOther(lab: Lab, host: Host, bots: number, warmUp: number, count: number): Promise<Sample> {
  const database = await lab.createDatabase();
  try {
    const args = [bots, warmUp, count].map(String);
    const program = await startProgram({
      role: 'bots',
      file: `bench/drain/${host}.ts`,
      args,
      env: { DATABASE_URL: database.url },
    });
    const { perSecond } = await program.go<{ perSecond: number }>();
    await program.stop();
    return { perSecond };
  } finally {
    await database.drop();
  }
}
