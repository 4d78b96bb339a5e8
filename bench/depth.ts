import { type Answer, atLeast, atMost } from './answer.ts';
import {
  addJobs,
  checkDrained,
  type Drain,
  type DrainSample,
  drainOrders,
  measureDrain,
} from './drain/measure-drain.ts';
import { intakeColumns, intakeHeadings } from './intake/intake-columns.ts';
import { type IntakeSample, measureIntake, measureOnFreshDatabase } from './intake/measure-intake.ts';
import type { Lab } from './lab/lab.ts';
import type { LabDatabase } from './lab/lab-database.ts';
import { insertBots, writePendingOrders } from './lab/pending-orders.ts';
import { type Bench, measureInterleaved, type Question } from './question.ts';
import { median, medianAndRange, whole } from './statistics.ts';

const connections = 200;
const fullDepth = 200_000;
const fullDrain: Drain = { host: 'ours', lane: 'normal', bots: 25, warmUp: 3_000, count: 12_000 };
const depths = ['empty', 'deep'] as const;

/** A backlog is one of normal orders: the VIP lane is emptied first. */
const lane = 'normal';

export const depth: Question = {
  name: 'depth',
  title: 'Whether a backlog slows the engine down, and what a waiting order costs',
  async ask(bench) {
    const { lab } = bench;
    const pending = bench.isQuick ? fullDepth / 10 : fullDepth;
    const drain = bench.isQuick ? { ...fullDrain, warmUp: 500, count: 2_500 } : fullDrain;
    bench.say(`writing ${whole(pending)} pending orders`);
    const deep = await createDeepDatabase(lab, pending);
    const bytes: number[] = [];
    const intakes = await measureInterleaved(bench, 'intake', depths, (at) =>
      at === 'empty' ? measureOnFreshDatabase(bench, 'ours', connections) : measureDeepIntake(bench, deep, bytes),
    );
    const drains = await measureInterleaved(bench, 'drain', depths, (at) =>
      at === 'empty' ? measureDrain(lab, drain) : measureDeepDrain(lab, deep, drain, bytes),
    );
    await deep.database.drop();
    return reportDepth(pending, intakes, drains, bytes);
  },
};

interface Deep {
  database: LabDatabase;
  orderNumbers: number[];
}

async function createDeepDatabase(lab: Lab, pending: number): Promise<Deep> {
  const database = await lab.createDatabase();
  const orderNumbers = await writePendingOrders(database, lane, pending);
  await database.query('VACUUM (ANALYZE)');
  await database.leave();
  return { database, orderNumbers };
}

/** A copy of the deep database and its jobs; notes what they take in Redis. */
async function openDeepCopy(lab: Lab, deep: Deep, bytes: number[]): Promise<LabDatabase> {
  await lab.flushRedis();
  const before = await lab.redisMemoryBytes();
  await addJobs(lab, lane, deep.orderNumbers);
  bytes.push(((await lab.redisMemoryBytes()) - before) / deep.orderNumbers.length);
  return lab.createDatabase(deep.database.name);
}

async function measureDeepIntake(bench: Bench, deep: Deep, bytes: number[]): Promise<IntakeSample> {
  const database = await openDeepCopy(bench.lab, deep, bytes);
  try {
    return await measureIntake(bench, database, 'ours', connections);
  } finally {
    await database.drop();
  }
}

async function measureDeepDrain(lab: Lab, deep: Deep, drain: Drain, bytes: number[]): Promise<DrainSample> {
  const database = await openDeepCopy(lab, deep, bytes);
  try {
    await insertBots(database, drain.bots);
    const sample = await drainOrders(lab, database, drain);
    await checkDrained(database);
    return sample;
  } finally {
    await database.drop();
  }
}

type ByDepth<Sample> = Record<(typeof depths)[number], Sample[]>;

function reportDepth(
  pending: number,
  intakes: ByDepth<IntakeSample>,
  drains: ByDepth<DrainSample>,
  bytes: number[],
): Answer {
  const rate = (samples: readonly { perSecond: number }[]) => median(samples.map(({ perSecond }) => perSecond));
  const pendingAt = { empty: '0', deep: whole(pending) };
  return {
    tables: [
      {
        title: `Depth: intake at ${connections} connections, Redis`,
        columns: ['pending before', ...intakeHeadings],
        rows: depths.map((at) => [pendingAt[at], ...intakeColumns(intakes[at])]),
        notes: [],
      },
      {
        title: `Depth: drain of the normal lane by ${fullDrain.bots} bots, Redis`,
        columns: ['pending', 'orders/s', 'peak MB'],
        rows: depths.map((at) => [
          at === 'empty' ? 'those drained' : pendingAt.deep,
          medianAndRange(drains[at].map(({ perSecond }) => perSecond)),
          whole(Math.max(...drains[at].map(({ peakMemoryMb }) => peakMemoryMb))),
        ]),
        notes: [`${medianAndRange(bytes)} bytes of Redis (used_memory) per waiting order.`],
      },
    ],
    bars: [
      atLeast('depth-intake-to-empty', rate(intakes.deep) / rate(intakes.empty), 0.75, 'x'),
      atLeast('depth-pick-up-to-empty', rate(drains.deep) / rate(drains.empty), 0.85, 'x'),
      atMost('redis-per-waiting-order', median(bytes), 400, 'bytes'),
      atMost('depth-web-memory', Math.max(...intakes.deep.map(({ peakMemoryMb }) => peakMemoryMb)), 350, 'MB'),
      atMost('depth-bot-host-memory', Math.max(...drains.deep.map(({ peakMemoryMb }) => peakMemoryMb)), 250, 'MB'),
    ],
  };
}
