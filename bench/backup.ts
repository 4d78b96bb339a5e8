import path from 'node:path';
import { type Answer, atLeast, atMost } from './answer.ts';
import { fillOrders } from './backup/fill.ts';
import { type BackupSample, engineEnvironment, measureBackup } from './backup/measure-backup.ts';
import { type DumpSample, findPgTools, measurePgDump } from './backup/pg-dump.ts';
import { writeTokens } from './intake/bearer.ts';
import { type Load, loadIntake } from './intake/load.ts';
import type { LabDatabase } from './lab/lab-database.ts';
import { startProgram } from './lab/program.ts';
import { type Bench, measureInterleaved, type Question } from './question.ts';
import { decimal, median, medianAndRange, whole } from './statistics.ts';

const connections = 50;
const secret = 'a secret of the bench alone that is long enough';
/** 256 MiB, in the megabytes of this bench. */
const memoryMb = 268;

export const backup: Question = {
  name: 'backup',
  title: 'How long a backup and a restore take, and what the intake feels of it',
  async ask(bench) {
    const { lab, isQuick, say } = bench;
    const orders = bench.orders ?? (isQuick ? 50_000 : 1_000_000);
    await lab.flushRedis();
    const database = await lab.createDatabase();
    try {
      await fillOrders(database, orders, say);
      const tools = findPgTools(lab);
      const contestants = tools ? (['twolane', 'pg_dump'] as const) : (['twolane'] as const);
      const alone: BackupSample[] = [];
      const dumps: DumpSample[] = [];
      await measureInterleaved(bench, `backup of ${whole(orders)} orders`, contestants, async (contestant) => {
        if (contestant === 'twolane') alone.push(await measureBackup(bench, database, { pace: 'full' }));
        else if (tools) dumps.push(await measurePgDump(lab, database, tools));
      });
      const felt: Felt[] = [];
      for (let repetition = 1; repetition <= bench.repetitions; repetition++) {
        say(`intake during a backup, ${repetition} of ${bench.repetitions}`);
        felt.push(await measureFelt(bench, database));
      }
      return answerOf({ orders, alone, dumps, felt, hasTools: tools !== null });
    } finally {
      await database.drop();
    }
  },
};

interface Felt {
  withoutPerSecond: number;
  duringPerSecond: number;
  withoutP99Ms: number;
  duringP99Ms: number;
  backup: BackupSample;
}

/** Orders as fast as they are taken: for a while, then during a backup from its beginning to its end, then for a while again. */
async function measureFelt(bench: Bench, database: LabDatabase): Promise<Felt> {
  const { lab, seconds } = bench;
  const tokensFile = path.join(lab.folder, 'tokens');
  await writeTokens(database, secret, tokensFile);
  const web = await startProgram<{ url: string }>({
    role: 'web',
    file: 'bench/intake/our-server.ts',
    env: {
      ...engineEnvironment(bench, database),
      LOG_LEVEL: 'warn',
      PORT: '0',
      JWT_SECRET: secret,
      RATE_LIMIT_PER_MINUTE: '10000000',
    },
  });
  const load = (forSeconds: number) => loadIntake(web.ready.url, tokensFile, connections, forSeconds);
  try {
    await load(1);
    // A second each, with and without: the first moments of a load are the same share of both.
    const withoutFor = async () => {
      for (let second = 0; second < 2 * seconds; second++) without.push(await load(1));
    };
    const without: Load[] = [];
    const during: Load[] = [];
    await withoutFor();
    const sample = await measureBackup(bench, database, {
      pace: 'gentle',
      async meanwhile(isUnderWay) {
        while (isUnderWay()) during.push(await load(1));
      },
    });
    if (during.length > 1) during.pop(); // the last second is half without
    await withoutFor();
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    return {
      withoutPerSecond: mean(without.map(({ perSecond }) => perSecond)),
      duringPerSecond: mean(during.map(({ perSecond }) => perSecond)),
      withoutP99Ms: median(without.map(({ p99Ms }) => p99Ms)),
      duringP99Ms: median(during.map(({ p99Ms }) => p99Ms)),
      backup: sample,
    };
  } finally {
    await web.stop();
  }
}

interface Found {
  orders: number;
  alone: BackupSample[];
  dumps: DumpSample[];
  felt: Felt[];
  hasTools: boolean;
}

function answerOf({ orders, alone, dumps, felt, hasTools }: Found): Answer {
  const seconds = (samples: readonly number[]) =>
    medianAndRange(
      samples.map((ms) => ms / 1_000),
      decimal,
    );
  const of = (pick: (sample: BackupSample) => number) => alone.map(pick);
  const perSecond = decimal(median(of(({ csvBytes, backupMs }) => csvBytes / 1e6 / (backupMs / 1_000))), 0);
  const peak = Math.max(
    ...[...alone, ...felt.map(({ backup: sample }) => sample)].map(({ peakMemoryMb }) => peakMemoryMb),
  );
  const kept = median(felt.map(({ withoutPerSecond, duringPerSecond }) => duringPerSecond / withoutPerSecond));
  const size = (samples: readonly number[]) => whole(median(samples) / 1e6);
  return {
    tables: [
      {
        title: `Backup of ${whole(orders)} orders, each with two items and three events: ${whole(median(of(({ rows }) => rows)))} rows, ${size(of(({ csvBytes }) => csvBytes))} MB as CSV`,
        columns: ['by', 'backup s', 'restore s', 'whole run s', 'CSV MB/s', 'stored MB', 'idle MB', 'peak MB'],
        rows: [
          [
            'twolane, zstd and age',
            ...[seconds(of(({ backupMs }) => backupMs)), seconds(of(({ restoreMs }) => restoreMs))],
            ...[seconds(of(({ totalMs }) => totalMs)), perSecond, size(of(({ storedBytes }) => storedBytes))],
            ...[whole(median(of(({ idleMemoryMb }) => idleMemoryMb))), whole(peak)],
          ],
          ...(hasTools
            ? [
                [
                  'pg_dump -Fc | pg_restore',
                  ...[seconds(dumps.map(({ backupMs }) => backupMs)), seconds(dumps.map(({ restoreMs }) => restoreMs))],
                  ...['–', '–', size(dumps.map(({ storedBytes }) => storedBytes)), '–', '–'],
                ],
              ]
            : []),
        ],
        notes: [
          'By BACKUP_PACE=full, with nothing else to do. The whole run reads back, restores and compares. pg_dump compresses by gzip, and neither encrypts nor compares.',
          ...(hasTools ? [] : ['pg_dump of the major of this server is not on this machine: no comparison.']),
        ],
      },
      {
        title: `Intake during a backup: ${connections} connections, as fast as orders are taken`,
        columns: ['', 'orders/s', 'p99 ms'],
        rows: [
          [
            'without',
            medianAndRange(felt.map((one) => one.withoutPerSecond)),
            medianAndRange(felt.map((one) => one.withoutP99Ms)),
          ],
          [
            'during',
            medianAndRange(felt.map((one) => one.duringPerSecond)),
            medianAndRange(felt.map((one) => one.duringP99Ms)),
          ],
        ],
        notes: [
          'The backup, the intake, Postgres and the load share the cores of this machine. The backup goes at its usual pace, BACKUP_PACE=gentle.',
          `A whole run of it takes ${seconds(felt.map(({ backup: sample }) => sample.totalMs))} s then.`,
        ],
      },
    ],
    bars: [atMost('backup-memory', peak, memoryMb, 'MB'), atLeast('backup-intake-kept', kept, 0.8, 'x')],
  };
}
