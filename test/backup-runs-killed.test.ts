import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type BackupDesk, openBackupDesk } from './support/backup-desk.ts';
import { type EngineProcess, killAll, startWorkerProcess } from './support/engine-process.ts';
import { until } from './support/until.ts';

let desk: BackupDesk;
const processes: EngineProcess[] = [];
beforeAll(async () => {
  desk = await openBackupDesk('postgres', { roles: ['relay'] });
});
afterEach(() => killAll(processes.splice(0)));
afterAll(() => desk?.close());

const startWorker = async () => {
  const started = await startWorkerProcess(['backup'], desk.engine.environment);
  processes.push(started);
  return started;
};

it('begins anew where a killed process left half of a backup, and clears that away', async () => {
  const asked = await desk.ask();
  const untilHung = desk.hangManifestOf(asked.name);
  const victim = await startWorker();
  await untilHung();
  expect(await desk.find(asked.id)).toMatchObject({ state: 'running', startedAt: expect.any(String) });
  victim.signal('SIGKILL');
  await victim.ended;
  expect(desk.keysOf(asked.name)).toEqual([`${asked.name}/data.tar.zst.000`]);
  expect((await desk.list()).lastVerified).toBeNull();
  desk.s3.faults.clear();

  await startWorker(); // it takes the job over when the lock of the dead one has run out
  const verified = await until('a verified backup', async () => (await desk.list()).lastVerified, 60_000);
  expect(verified).toMatchObject({ trigger: 'api', requestedBy: 'admin' });
  expect(verified.name).not.toBe(asked.name);
  expect(await desk.find(asked.id)).toMatchObject({ state: 'failed', failure: 'its process died' });
  expect(desk.keysOf(asked.name)).toEqual([]);
  expect((await desk.list()).backups).toHaveLength(2);
}, 90_000);
