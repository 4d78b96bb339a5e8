import path from 'node:path';
import { queuePrefix } from '../lab/lab.ts';
import type { LabDatabase } from '../lab/lab-database.ts';
import { openLaneCounts } from '../lab/lane-counts.ts';
import { startProgram } from '../lab/program.ts';
import { type CpuTimes, cpuPerOrder, readMemoryMb, readPeakMemoryMb } from '../lab/usage.ts';
import type { Bench } from '../question.ts';
import { writeTokens } from './bearer.ts';
import { type Load, loadIntake } from './load.ts';
import { checkIntake } from './truth.ts';

export type IntakeServer = 'naive' | 'ours' | 'open' | 'ceiling';

const fileOf = { naive: 'naive', ours: 'our', open: 'open', ceiling: 'ceiling' } satisfies Record<IntakeServer, string>;

export interface IntakeSample extends Load {
  cpu: CpuTimes;
  idleMemoryMb: number;
  peakMemoryMb: number;
  /** Committed orders whose jobs were still on their way when the load ended. */
  backlog: number;
  outOfOrder: number;
  complaints: string[];
}

const secret = 'a secret of the bench alone that is long enough';
const warmUpSeconds = 1;

/** One cell: a server of its own, warmed up, then loaded, then compared with what it left in Postgres and Redis. */
export async function measureIntake(
  { lab, seconds }: Pick<Bench, 'lab' | 'seconds'>,
  database: LabDatabase,
  server: IntakeServer,
  connections: number,
): Promise<IntakeSample> {
  const isOurs = server === 'ours' || server === 'open';
  const tokensFile = path.join(lab.folder, 'tokens');
  await writeTokens(database, secret, tokensFile);
  const [before] = await database.query<{ count: number }>('SELECT count(*)::int AS count FROM orders');
  const program = await startProgram<{ url: string }>({
    role: 'web',
    file: `bench/intake/${fileOf[server]}-server.ts`,
    env: {
      ...{
        DATABASE_URL: database.url,
        REDIS_URL: lab.redisUrl,
        QUEUE_PREFIX: queuePrefix,
        JWT_SECRET: secret,
        PORT: '0',
        RATE_LIMIT_PER_MINUTE: '10000000', // it counts, but refuses nobody
      },
    },
  });
  const lanes = openLaneCounts(lab, database);
  try {
    const idleMemoryMb = readMemoryMb(program.pid);
    const warmUp = await loadIntake(program.ready.url, tokensFile, connections, warmUpSeconds);
    const start = lab.cpuTimes(program.pid);
    const load = await loadIntake(program.ready.url, tokensFile, connections, seconds);
    const cpu = cpuPerOrder(start, lab.cpuTimes(program.pid), load.answers);
    const backlog = isOurs ? await lanes.countBacklog() : 0;
    const peakMemoryMb = readPeakMemoryMb(program.pid);
    await program.stop();
    const truth =
      server === 'ceiling'
        ? { outOfOrder: 0 }
        : await checkIntake(database, lanes.store, {
            answers: warmUp.answers + load.answers,
            underWay: 2 * connections,
            ordersBefore: before?.count ?? 0,
            isOrdered: isOurs,
          });
    const { complaints } = program;
    return { ...load, cpu, idleMemoryMb, peakMemoryMb, backlog, outOfOrder: truth.outOfOrder, complaints };
  } finally {
    await program.stop();
    await lanes.close();
  }
}

export async function measureOnFreshDatabase(
  bench: Bench,
  server: IntakeServer,
  connections: number,
): Promise<IntakeSample> {
  await bench.lab.flushRedis();
  const database = await bench.lab.createDatabase();
  try {
    return await measureIntake(bench, database, server, connections);
  } finally {
    await database.drop();
  }
}
