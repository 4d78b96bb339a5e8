import { setTimeout as delay } from 'node:timers/promises';
import { laneQueues } from '../../queues/lanes.ts';
import type { Lane } from '../../src/domain/lane.ts';
import { type Lab, queuePrefix } from '../lab/lab.ts';
import type { LabDatabase } from '../lab/lab-database.ts';
import { addOrderJobs, insertBots, writePendingOrders } from '../lab/pending-orders.ts';
import { type Program, startProgram } from '../lab/program.ts';
import { type CpuTimes, cpuPerOrder, readPeakMemoryMb } from '../lab/usage.ts';

export interface DrainSample {
  perSecond: number;
  cpu: CpuTimes;
  peakMemoryMb: number;
  complaints: string[];
}

export interface Drain {
  host: 'raw' | 'ours';
  lane: Lane;
  bots: number;
  /** Orders that pass before the clock starts. */
  warmUp: number;
  count: number;
}

const lookEveryMs = 20;
const giveUpAfterMs = 120_000;

/** One cell: orders and jobs are there before the host starts; all of them are looked at afterwards. */
export async function measureDrain(lab: Lab, drain: Drain): Promise<DrainSample> {
  await lab.flushRedis();
  const database = await lab.createDatabase();
  try {
    const orderNumbers = await writePendingOrders(database, drain.lane, drain.warmUp + drain.count);
    await database.query('ANALYZE');
    await addJobs(lab, drain.lane, orderNumbers);
    await insertBots(database, drain.bots);
    const sample = await drainOrders(lab, database, drain);
    const complete = await checkDrained(database);
    if (complete !== orderNumbers.length) throw new Error(`${complete} of ${orderNumbers.length} orders are complete`);
    return sample;
  } finally {
    await database.drop();
  }
}

export async function addJobs(lab: Lab, lane: Lane, orderNumbers: readonly number[]): Promise<void> {
  const store = lab.openStore(null);
  await addOrderJobs(store, lane, orderNumbers);
  await store.close();
}

/** Starts a host on what waits in the lane, and stops it after `warmUp + count` orders. */
export async function drainOrders(lab: Lab, database: LabDatabase, drain: Drain): Promise<DrainSample> {
  const { warmUp, count } = drain;
  const before = await lastEvent(database);
  const program = await startHost(lab, database, drain);
  try {
    // Two events an order: cheaper to ask for than the orders themselves.
    const warm = await waitForEvents(database, before + 2 * warmUp);
    const start = lab.cpuTimes(program.pid);
    const end = await waitForEvents(database, before + 2 * (warmUp + count));
    const cpu = cpuPerOrder(start, lab.cpuTimes(program.pid), (end - warm) / 2);
    const peakMemoryMb = readPeakMemoryMb(program.pid);
    const perSecond = await readRate(database, warmUp, count);
    await program.stop();
    return { perSecond, cpu, peakMemoryMb, complaints: program.complaints };
  } finally {
    await program.stop();
  }
}

function startHost(lab: Lab, database: LabDatabase, { host, lane, bots }: Drain): Promise<Program<unknown>> {
  const env = { DATABASE_URL: database.url, REDIS_URL: lab.redisUrl, QUEUE_PREFIX: queuePrefix };
  if (host === 'raw')
    return startProgram({
      role: 'bots',
      file: 'bench/drain/raw-worker.ts',
      args: [laneQueues[lane].name, String(bots)],
      env,
    });
  return startProgram({
    role: 'bots',
    file: 'workers/main.ts',
    args: ['bots'],
    env: { ...env, BOT_HANDLER: 'bench/drain/no-op-handler.ts', BOT_CAPACITY: String(bots) },
    readyMessage: 'workers started',
  });
}

async function lastEvent(database: LabDatabase): Promise<number> {
  const [last] = await database.query<{ id: string }>('SELECT last_value AS id FROM order_events_id_seq');
  return Number(last?.id);
}

/** There is no event to wait for that would not tax what is measured: a sequence is read, which costs next to nothing. */
async function waitForEvents(database: LabDatabase, target: number): Promise<number> {
  const giveUpAt = performance.now() + giveUpAfterMs;
  for (;;) {
    const last = await lastEvent(database);
    if (last >= target) return last;
    if (performance.now() > giveUpAt) throw new Error(`the drain stands at event ${last} of ${target}`);
    await delay(lookEveryMs);
  }
}

/** From the completion that ends the warm-up to the last one, by the database's clock. */
async function readRate(database: LabDatabase, warmUp: number, count: number): Promise<number> {
  for (;;) {
    const [window] = await database.query<{ completed: number; seconds: number }>(
      `SELECT count(*)::int AS completed, extract(epoch FROM max(at) FILTER (WHERE place = $2) - max(at) FILTER (WHERE place = $1))::float8 AS seconds
       FROM (SELECT at, row_number() OVER (ORDER BY at) AS place FROM order_events WHERE type = 'completed') completions`,
      [warmUp, warmUp + count],
    );
    // The sequence runs ahead of the commit.
    if (window && window.completed >= warmUp + count) return count / window.seconds;
    await delay(lookEveryMs);
  }
}

/** Throws when an order was done twice or without its events; gives how many are complete. */
export async function checkDrained(database: LabDatabase): Promise<number> {
  const [truth] = await database.query<Record<'complete' | 'once' | 'whole', number>>(`
    SELECT (SELECT count(*)::int FROM orders WHERE status = 'complete') AS complete,
           (SELECT count(*)::int FROM orders WHERE status = 'complete' AND attempt = 1) AS once,
           (SELECT count(*)::int FROM (SELECT FROM order_events GROUP BY order_number
              HAVING array_agg(type ORDER BY id) = '{placed,started,completed}') timelines) AS whole`);
  const { complete = 0, once, whole } = truth ?? {};
  if (complete !== once || complete !== whole)
    throw new Error(`of ${complete} complete orders, ${once} were started once, ${whole} have exactly three events`);
  return complete;
}
