import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openQueueStore } from '../queues/backend.ts';
import { backupQueue } from '../queues/backup.ts';
import { createLog } from '../src/log.ts';
import { returnLostBackups } from '../src/operations/watch-backups.ts';
import { startBackupWorker } from '../workers/backup.ts';
import { type BackupDesk, openBackupDesk } from './support/backup-desk.ts';
import { backends } from './support/engine.ts';
import { type EngineProcess, killAll, startWorkerProcess } from './support/engine-process.ts';
import { until } from './support/until.ts';

let desk: BackupDesk;
const processes: EngineProcess[] = [];
afterEach(() => killAll(processes.splice(0)));

const startWorker = async () => {
  const started = await startWorkerProcess(['backup'], desk.engine.environment);
  processes.push(started);
  return started;
};
describe.each(backends)('the worker of backups on %s', (backend) => {
  beforeAll(async () => {
    desk = await openBackupDesk(backend, { roles: ['relay'] });
  });
  afterAll(() => desk?.close());

  it('ends soon at a deploy, and the next process makes it', async () => {
    const before = (await desk.list()).lastVerified;
    const asked = await desk.ask();
    const untilHung = desk.hangManifestOf(asked.name);
    const leaving = await startWorker();
    await untilHung();
    const stoppedAt = performance.now();
    leaving.signal('SIGTERM');
    expect((await leaving.ended).code).toBe(0);
    expect(performance.now() - stoppedAt).toBeLessThan(4_500);
    expect(await desk.find(asked.id)).toMatchObject({ state: 'failed', failure: 'interrupted' });
    expect(desk.keysOf(asked.name)).toEqual([]);
    desk.s3.faults.clear();
    await startWorker();
    await until('the next one', async () => (await desk.list()).lastVerified?.id !== before?.id, 40_000);
  }, 60_000);

  it('puts back what waits and has lost its job, keeps its schedule, and tries again what failed', async () => {
    const { deps, engine } = desk;
    const queues = openQueueStore({
      databaseUrl: engine.config.databaseUrl,
      redisUrl: engine.config.redisUrl,
      prefix: engine.config.queuePrefix,
      role: 'worker',
      onError: () => {},
    });
    const queue = queues.queue(backupQueue.name);
    const asked = await desk.ask();
    await until('its job', async () => (await queue.getJobCounts()).waiting === 1);
    await queue.obliterate({ force: true });
    await engine.database.query("UPDATE backups SET created_at = now() - interval '1 minute' WHERE id = $1", [
      asked.id,
    ]);
    await returnLostBackups(deps.pool, queues);
    expect((await queue.getJobs(['waiting'])).map(({ data }) => data)).toEqual([{ backupId: asked.id }]);

    desk.s3.faults.add({ kind: 'refused', operation: 'any', times: 1_000 });
    const log = createLog('silent', 'test');
    const worker = await startBackupWorker({ ...deps, log, queues, cron: '30 2 * * *', retryAfterMs: 100 });
    const schedule = await queue.getJobScheduler('scheduled');
    expect(schedule).toMatchObject({ pattern: '30 2 * * *', tz: 'UTC' });
    await until('a failed run', async () => (await desk.find(asked.id)).state === 'failed', 20_000);
    expect(await desk.isDegraded()).toBe(true);
    desk.s3.faults.clear();
    await until('that it is tried again', async () => !(await desk.isDegraded()), 40_000);
    await worker.close();
    const off = await startBackupWorker({ ...deps, log, queues, cron: null });
    expect(await queue.getJobScheduler('scheduled')).toBeFalsy();
    await off.close();
    await queues.close();
  }, 60_000);
});
