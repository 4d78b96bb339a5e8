import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { generateIdentity } from 'age-encryption';
import { queuePrefix } from '../lab/lab.ts';
import type { LabDatabase } from '../lab/lab-database.ts';
import { startProgram } from '../lab/program.ts';
import { readMemoryMb, readPeakMemoryMb } from '../lab/usage.ts';
import type { Bench } from '../question.ts';

export interface BackupSample {
  backupMs: number;
  restoreMs: number;
  /** From the request to the end of the comparison. */
  totalMs: number;
  rows: number;
  csvBytes: number;
  storedBytes: number;
  idleMemoryMb: number;
  peakMemoryMb: number;
}

interface Row {
  name: string;
  state: string;
  failure: string | null;
  backup_ms: number;
  restore_ms: number;
  row_count: string;
  stored_bytes: string;
}

const encryptionKey = await generateIdentity();

export const engineEnvironment = ({ lab }: Pick<Bench, 'lab'>, database: LabDatabase): Record<string, string> => ({
  ENV: 'development',
  DATABASE_URL: database.url,
  REDIS_URL: lab.redisUrl,
  QUEUE_PREFIX: queuePrefix,
  LOG_LEVEL: 'info',
  LOCAL_STORE_FOLDER: path.join(lab.folder, 'store'),
  BACKUP_CRON: 'off',
  BACKUP_ENCRYPTION_KEY: encryptionKey,
});

export interface Conditions {
  pace: 'gentle' | 'full';
  /** Done from its beginning to its end. */
  meanwhile?(isUnderWay: () => boolean): Promise<void>;
}

/** One backup by a worker process of its own, verified. */
export async function measureBackup(
  bench: Pick<Bench, 'lab'>,
  database: LabDatabase,
  { pace, meanwhile = async () => {} }: Conditions,
): Promise<BackupSample> {
  const environment: Record<string, string> = { ...engineEnvironment(bench, database), BACKUP_PACE: pace };
  const worker = await startProgram({
    role: 'backup',
    file: 'workers/main.ts',
    args: ['backup'],
    env: environment,
    readyMessage: 'workers started',
  });
  try {
    const idleMemoryMb = readMemoryMb(worker.pid);
    const startedAt = performance.now();
    // What waits without a job is found by the worker within seconds; here it is given its job at once.
    const id = await askForBackup(bench, database);
    let isUnderWay = true;
    const ended = untilEnded(database, id).finally(() => {
      isUnderWay = false;
    });
    const [row] = await Promise.all([ended, meanwhile(() => isUnderWay)]);
    if (row.state !== 'verified') throw new Error(`the backup is ${row.state}: ${row.failure}`);
    const totalMs = performance.now() - startedAt;
    const manifest = path.join(environment.LOCAL_STORE_FOLDER ?? '', 'backups', row.name, 'manifest.json');
    const { totals } = JSON.parse(await readFile(manifest, 'utf8')) as { totals: { csvBytes: number } }; // docs/backup-format.md
    return {
      backupMs: row.backup_ms,
      restoreMs: row.restore_ms,
      totalMs,
      rows: Number(row.row_count),
      csvBytes: totals.csvBytes,
      storedBytes: Number(row.stored_bytes),
      idleMemoryMb,
      peakMemoryMb: readPeakMemoryMb(worker.pid),
    };
  } finally {
    await worker.stop();
  }
}

async function askForBackup({ lab }: Pick<Bench, 'lab'>, database: LabDatabase): Promise<string> {
  const [row] = await database.query<{ id: string }>(
    `INSERT INTO backups (id, name, trigger, requested_by)
     VALUES (gen_random_uuid(), to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISS"Z"') || '-' || substr(md5(random()::text), 1, 6), 'api', 'bench')
     RETURNING id`,
  );
  const id = row?.id ?? '';
  const store = lab.openStore(null);
  await store.queue('backup').add('backup', { backupId: id }, { jobId: `backup-${id}` });
  await store.close();
  return id;
}

async function untilEnded(database: LabDatabase, id: string): Promise<Row> {
  for (;;) {
    const [row] = await database.query<Row>(
      `SELECT name, state, failure, backup_ms, restore_ms, row_count, stored_bytes FROM backups WHERE id = $1 AND finished_at IS NOT NULL`,
      [id],
    );
    if (row) return row;
    await delay(50);
  }
}
