import { type Lane, lanes } from '../src/domain/lane.ts';
import { type Answer, atMost } from './answer.ts';
import { type Lab, queuePrefix } from './lab/lab.ts';
import { startProgram } from './lab/program.ts';
import { measureInterleaved, type Question } from './question.ts';
import { decimal, median, percentile } from './statistics.ts';

const backends = ['redis', 'postgres'] as const;
type Backend = (typeof backends)[number];

/** Per lane and repetition. */
const samples = 400;

export const wake: Question = {
  name: 'wake',
  title: 'How soon an idle bot has an order that was just added',
  async ask(bench) {
    const count = bench.isQuick ? 100 : samples;
    const found = await measureInterleaved(bench, 'wake-up', backends, (backend) =>
      measureWake(bench.lab, backend, count),
    );
    const answer: Answer = { tables: [], bars: [] };
    const rows: string[][] = [];
    for (const backend of backends) {
      for (const lane of lanes) {
        const of = (fraction: number) =>
          median(found[backend].map((latencies) => percentile(latencies[lane], fraction)));
        rows.push([backend, lane, ...[0.5, 0.9, 0.99, 1].map((fraction) => decimal(of(fraction)))]);
        if (backend === 'redis') answer.bars.push(atMost(`wake-${lane}-p99`, of(0.99), 5, 'ms'));
      }
    }
    answer.tables.push({
      title: 'Wake-up: Queue.add until the work is called, in one process',
      columns: ['backend', 'lane', 'p50 ms', 'p90 ms', 'p99 ms', 'max ms'],
      rows,
      notes: [`${count} orders per lane and repetition, one at a time, five idle bots; medians of the repetitions.`],
    });
    return answer;
  },
};

async function measureWake(lab: Lab, backend: Backend, count: number): Promise<Record<Lane, number[]>> {
  await lab.flushRedis();
  const database = await lab.createDatabase();
  try {
    const program = await startProgram({
      role: 'bots',
      file: 'bench/wake/idle-bots.ts',
      args: [backend, String(count)],
      env: { DATABASE_URL: database.url, REDIS_URL: lab.redisUrl, QUEUE_PREFIX: queuePrefix },
    });
    const latencies = await program.go<Record<Lane, number[]>>();
    await program.stop();
    return latencies;
  } finally {
    await database.drop();
  }
}
