import { setTimeout as delay } from 'node:timers/promises';
import { hostLeaseMs, leaseRenewalMs } from '../src/domain/bot.ts';
import { atMost } from './answer.ts';
import { type Lab, queuePrefix } from './lab/lab.ts';
import type { LabDatabase } from './lab/lab-database.ts';
import { addOrderJobs, insertBots, writePendingOrders } from './lab/pending-orders.ts';
import { type Program, startProgram } from './lab/program.ts';
import { measureInterleaved, type Question } from './question.ts';
import { decimal, median, medianAndRange } from './statistics.ts';

const backends = ['redis', 'postgres'] as const;
type Backend = (typeof backends)[number];

const inHand = 5;
const fullRounds = 5;
const lookEveryMs = 20;
const giveUpAfterMs = 30_000;

export const recovery: Question = {
  name: 'recovery',
  title: 'How soon the work of a bot host that was killed (kill -9) is started again',
  async ask(bench) {
    const repetitions = bench.isQuick ? 1 : Math.max(fullRounds, bench.repetitions);
    const found = await measureInterleaved({ ...bench, repetitions }, 'recovery', backends, (backend) =>
      measureRecovery(bench.lab, backend),
    );
    return {
      tables: [
        {
          title: `Recovery: kill -9 until all ${inHand} orders in hand are started again by another host`,
          columns: ['backend', 'rounds', 'median s', 'min s', 'max s', 'first to last ms', 'in order'],
          rows: backends.map((backend) => {
            const seconds = found[backend].map((round) => round.seconds);
            return [
              ...[backend, String(repetitions)],
              ...[median(seconds), Math.min(...seconds), Math.max(...seconds)].map((value) => decimal(value)),
              medianAndRange(found[backend].map((round) => round.spreadMs)),
              `${found[backend].filter((round) => round.isInOrder).length} of ${repetitions}`,
            ];
          }),
          notes: [
            `The lease of a host is ${hostLeaseMs / 1000} s, renewed every ${leaseRenewalMs / 1000} s. Checked each round: the ${inHand} orders, and no others, started again once. There are enough idle bots for all of them: their order is information.`,
          ],
        },
      ],
      bars: backends.map((backend) =>
        atMost(`recovery-${backend}`, median(found[backend].map((round) => round.seconds)), 5, 's'),
      ),
    };
  },
};

interface Round {
  /** From the kill to the last of the new starts. */
  seconds: number;
  spreadMs: number;
  isInOrder: boolean;
}

async function measureRecovery(lab: Lab, backend: Backend): Promise<Round> {
  await lab.flushRedis();
  const database = await lab.createDatabase();
  const programs: Program<unknown>[] = [];
  const startHost = async (roles: string[], capacity: number) => {
    const program = await startProgram({
      role: 'bots',
      file: 'workers/main.ts',
      args: roles,
      env: {
        ...{
          DATABASE_URL: database.url,
          QUEUE_PREFIX: queuePrefix,
          ...(backend === 'redis' && { REDIS_URL: lab.redisUrl }),
        },
        ...{ BOT_CAPACITY: String(capacity), BOT_PROCESSING_MS: '600000' },
      },
      readyMessage: 'workers started',
    });
    programs.push(program);
    return program;
  };
  try {
    await insertBots(database, inHand);
    const orderNumbers = await writePendingOrders(database, 'normal', inHand);
    const store = lab.openStore(backend === 'redis' ? null : database);
    await addOrderJobs(store, 'normal', orderNumbers);
    await store.close();
    const victim = await startHost(['bots'], inHand);
    await waitUntil(
      database,
      'the first starts',
      `SELECT count(*) = ${inHand} AS is FROM orders WHERE status = 'processing'`,
    );
    await startHost(['bots', 'relay'], 25);
    await insertBots(database, inHand);
    await waitUntil(database, 'idle bots', `SELECT count(*) = ${2 * inHand} AS is FROM bots WHERE host_id IS NOT NULL`);
    // The other host has been there for a while, and the kill comes at any time between two renewals.
    await delay(hostLeaseMs + leaseRenewalMs * (1 + Math.random()));

    const killedAt = Date.now();
    await victim.kill();
    await waitUntil(
      database,
      'the new starts',
      `SELECT count(*) = ${inHand} AS is FROM orders WHERE status = 'processing' AND attempt = 2`,
    );
    return await readRound(database, orderNumbers, killedAt);
  } finally {
    for (const program of programs) await program.kill();
    await database.drop();
  }
}

async function waitUntil(database: LabDatabase, what: string, question: string): Promise<void> {
  const giveUpAt = performance.now() + giveUpAfterMs;
  for (;;) {
    const [answer] = await database.query<{ is: boolean }>(question);
    if (answer?.is) return;
    if (performance.now() > giveUpAt) throw new Error(`${what} did not come within ${giveUpAfterMs / 1000} s`);
    await delay(lookEveryMs);
  }
}

/** The services share the clock of this machine. Starts of one transaction have no order among themselves. */
async function readRound(database: LabDatabase, orderNumbers: readonly number[], killedAt: number): Promise<Round> {
  const starts = await database.query<{ number: string; attempt: number; at: number }>(
    `SELECT order_number AS number, attempt, (extract(epoch FROM at) * 1000)::float8 AS at
     FROM order_events WHERE type = 'started' AND at > to_timestamp($1::float8 / 1000) ORDER BY xid, order_number`,
    [killedAt],
  );
  const again = starts.map(({ number }) => Number(number));
  const isEach = again.length === orderNumbers.length && orderNumbers.every((number) => again.includes(number));
  if (!isEach || starts.some(({ attempt }) => attempt !== 2))
    throw new Error(`started again: ${again.join()}, had been in hand: ${orderNumbers.join()}`);
  const times = starts.map(({ at }) => at);
  return {
    seconds: (Math.max(...times) - killedAt) / 1000,
    spreadMs: Math.max(...times) - Math.min(...times),
    isInOrder: again.join() === orderNumbers.join(),
  };
}
