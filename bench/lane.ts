import { type Answer, atLeast } from './answer.ts';
import { type Lab, queuePrefix } from './lab/lab.ts';
import { startProgram } from './lab/program.ts';
import { measureInterleaved, type Question } from './question.ts';
import { median, medianAndRange } from './statistics.ts';

const contestants = ['raw', 'vip', 'normal'] as const;
type Contestant = (typeof contestants)[number];

const sizes = [
  { bots: 1, warmUp: 2_000, count: 8_000, normalTarget: 0.42 },
  { bots: 8, warmUp: 5_000, count: 30_000, normalTarget: 0.5 },
  { bots: 50, warmUp: 5_000, count: 40_000, normalTarget: 0.5 },
] as const;

const said: Record<Contestant, string> = {
  raw: 'BullMQ Worker, one queue',
  vip: 'lane puller, all VIP',
  normal: 'lane puller, all normal',
};

export const lane: Question = {
  name: 'lane',
  title: 'What two lanes and strictness cost, without a database',
  async ask(bench) {
    const answer: Answer = { tables: [], bars: [] };
    const rows: string[][] = [];
    for (const { bots, normalTarget, ...full } of sizes) {
      const warmUp = bench.isQuick ? full.warmUp / 5 : full.warmUp;
      const count = bench.isQuick ? full.count / 5 : full.count;
      const rates = await measureInterleaved(bench, `lanes with ${bots}`, contestants, (contestant) =>
        measureLane(bench.lab, contestant, bots, warmUp, count),
      );
      for (const contestant of contestants)
        rows.push([String(bots), said[contestant], medianAndRange(rates[contestant])]);
      const raw = median(rates.raw);
      answer.bars.push(
        atLeast(`lane-vip-${bots}-to-raw`, median(rates.vip) / raw, 0.9, 'x'),
        atLeast(`lane-normal-${bots}-to-raw`, median(rates.normal) / raw, normalTarget, 'x'),
      );
    }
    answer.tables.push({
      title: 'Lanes alone: jobs that do nothing, Redis',
      columns: ['bots', 'puller', 'jobs/s'],
      rows,
      notes: ['A normal order costs a look at the VIP lane more: that is what strictly VIP first means.'],
    });
    return answer;
  },
};

async function measureLane(
  lab: Lab,
  contestant: Contestant,
  bots: number,
  warmUp: number,
  count: number,
): Promise<number> {
  await lab.flushRedis();
  const program = await startProgram({
    role: 'bots',
    file: 'bench/lane/lane-worker.ts',
    args: [contestant, ...[bots, warmUp, count].map(String)],
    env: { REDIS_URL: lab.redisUrl, QUEUE_PREFIX: queuePrefix },
  });
  const { perSecond } = await program.go<{ perSecond: number }>();
  await program.stop();
  return perSecond;
}
