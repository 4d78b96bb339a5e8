import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sealManifest } from '../src/backup/manifest.ts';
import {
  findStoredBackup,
  listStoredBackups,
  manifestKey,
  readManifest,
  verificationKey,
} from '../src/backup/stored-backups.ts';
import { takeBackupLock } from '../src/db/backup-lock.ts';
import { BackupInterruptedError, type BackupRequest, runBackup } from '../src/operations/run-backup.ts';
import { syncBackups } from '../src/operations/sync-backups.ts';
import { reportOverdueBackups } from '../src/operations/watch-backups.ts';
import { type BackupDesk, openBackupDesk } from './support/backup-desk.ts';
import { until } from './support/until.ts';

let desk: BackupDesk;
beforeAll(async () => {
  desk = await openBackupDesk('postgres', {
    env: { BACKUP_KEEP_DAILY: '1', BACKUP_KEEP_WEEKLY: '0', BACKUP_KEEP_MONTHLY: '0' },
  });
  await desk.engine.api.place();
});
afterAll(() => desk?.close());
afterEach(() => desk.s3.faults.clear());

const request = (more: Partial<BackupRequest> = {}): BackupRequest => ({
  backupId: null,
  trigger: 'cli',
  requestedBy: 'a test',
  signal: new AbortController().signal,
  ...more,
});
const run = (more?: Partial<BackupRequest>) => runBackup(desk.deps, request(more));
const newest = async () => (await desk.list()).backups[0];
const faultOf = async () =>
  (await desk.engine.database.query<{ code: string; message: string }>('SELECT code, message FROM service_faults'))[0];
const hours = (count: number) => new Date(Date.now() + count * 3_600_000);

/** As if that backup had been made then. */
async function makeOlder(name: string, snapshotAt: Date): Promise<void> {
  const { store } = desk.deps;
  const { sha256, seal, ...facts } = await readManifest(store, name);
  const verification = (await findStoredBackup(store, name))?.verification;
  const manifest = sealManifest({ ...facts, snapshotAt: snapshotAt.toISOString() }, null);
  const jsonOf = (value: object) => Buffer.from(JSON.stringify(value));
  const contentType = 'application/json';
  await store.put(manifestKey(name), jsonOf(manifest), { contentType });
  await store.put(verificationKey(name), jsonOf({ ...verification, manifestSha256: manifest.sha256 }), { contentType });
}

/** Has the stand-in never answer the next call that stores something; gives when it has one in its hands. */
function hangNextPut(): () => Promise<unknown> {
  const countHung = () => desk.s3.faults.met().filter(({ kind }) => kind === 'hangs').length;
  const before = countHung();
  desk.s3.faults.add({ kind: 'hangs', operation: 'put' });
  return () => until('a call that hangs', () => countHung() > before, 20_000);
}

describe('one that ends well', () => {
  it('is the only one at a time, and is stored, tried and told with all its figures', async () => {
    const phases = new Set<string>();
    const both = await Promise.all([0, 1].map(() => run({ onProgress: ({ phase }) => phases.add(phase) })));
    const [done] = both.filter((one) => one !== null);
    expect(both).toContain(null);
    expect(done).toMatchObject({ state: 'verified', failure: null, progress: null, encrypted: false, trigger: 'cli' });
    for (const figure of ['rows', 'tables', 'storedBytes', 'backupMs', 'restoreMs'] as const)
      expect(done?.[figure], figure).toBeGreaterThan(0);
    expect([...phases]).toEqual(expect.arrayContaining(['snapshot', 'upload', 'restore', 'compare']));
    expect(desk.s3.keys().map((key) => key.replace(/^.*\//, ''))).toEqual([
      'data.tar.zst.000',
      'manifest.json',
      'verified.json',
    ]);
    expect(await desk.list()).toMatchObject({ backups: [done], lastVerified: done });
  });

  it('is known by the store alone, when its row is gone', async () => {
    const { name, rows, restoreMs } = (await newest()) ?? {};
    await desk.engine.database.query('TRUNCATE backups');
    await syncBackups(desk.deps);
    const { lastVerified } = await desk.list();
    expect(lastVerified).toMatchObject({ name, rows, restoreMs, requestedBy: 'found in the store' });
    await syncBackups(desk.deps);
    expect((await desk.list()).lastVerified).toEqual(lastVerified);
  });
});

describe('one that fails', () => {
  let whole: string[];
  beforeAll(() => {
    whole = desk.s3.keys();
  });
  const isAsBefore = () => expect(desk.s3.keys()).toEqual(whole);

  it('as the store is away at the start: /readyz says so', async () => {
    desk.s3.faults.add({ kind: 'refused', operation: 'any', times: 1_000 });
    await expect(run()).rejects.toThrow();
    const failed = await newest();
    expect(failed).toMatchObject({ state: 'failed', storedBytes: null });
    const message = expect.stringContaining(failed?.failure ?? '-');
    expect(await faultOf()).toMatchObject({ code: 'store_refused', message });
    expect(await desk.isDegraded()).toBe(true);
    isAsBefore();
  });

  it('as the store dies in the middle: nothing is listed of it, then or afterwards', async () => {
    desk.s3.faults.add({ kind: 'dies', atByte: 4_000 });
    await expect(run()).rejects.toThrow();
    desk.s3.faults.clear();
    expect(await newest()).toMatchObject({ state: 'failed' });
    expect(await listStoredBackups(desk.deps.store)).toHaveLength(1);
    isAsBefore();
  });

  it('as somebody wants its end: soon, with nothing left, and without a fault', async () => {
    await desk.engine.database.query('TRUNCATE service_faults');
    const untilHung = hangNextPut();
    const stop = new AbortController();
    const said: [level: string, message: string][] = [];
    const keep = (level: string) => (_facts: object, message?: string) => void said.push([level, message ?? '']);
    const log = { info: keep('info'), warn: keep('warn'), error: keep('error') };
    const running = runBackup({ ...desk.deps, log }, request({ signal: stop.signal }));
    await untilHung();
    const stoppedAt = performance.now();
    stop.abort();
    await expect(running).rejects.toThrow(BackupInterruptedError);
    expect(performance.now() - stoppedAt).toBeLessThan(4_000);
    expect(await newest()).toMatchObject({ state: 'failed', failure: 'interrupted' });
    expect(said).toContainEqual(['info', 'backup interrupted']);
    expect(said.filter(([level]) => level === 'error')).toEqual([]); // nobody has anything to mend
    isAsBefore();
    expect(desk.s3.openUploads()).toEqual([]);
    expect(await faultOf()).toBeUndefined();
  });

  it('as its lock is lost: somebody else may have begun', async () => {
    const untilHung = hangNextPut();
    const failed = expect(run()).rejects.toThrow(/lock of backups was lost/);
    await untilHung();
    const taken = await takeBackupLock(desk.deps.databaseUrl);
    await desk.engine.database.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'twolane backup lock' AND datname = current_database()",
    );
    await failed;
    expect(taken).toBeNull();
    expect(await newest()).toMatchObject({ state: 'failed' });
    const lock = await takeBackupLock(desk.deps.databaseUrl);
    await lock?.release();
    expect(lock).not.toBeNull();
  });

  it('as it was damaged in the store: it is not called a backup, and the last verified one stays', async () => {
    const { lastVerified } = await desk.list();
    desk.s3.faults.add({ kind: 'flipped', operation: 'get', atByte: 2_000, times: 1_000 });
    await expect(run()).rejects.toThrow();
    desk.s3.faults.clear();
    await syncBackups(desk.deps);
    expect(await newest()).toMatchObject({ state: 'failed' });
    expect((await desk.list()).lastVerified).toEqual(lastVerified);
    expect(await faultOf()).toBeDefined();
  });
});

describe('the next one that is verified', () => {
  it('takes back that backups are overdue, and deletes what is too many, but not what is young', async () => {
    const { pool } = desk.deps;
    const before = await desk.list();
    await desk.engine.database.query('TRUNCATE service_faults');
    const daily = 24 * 3_600_000;
    expect(await reportOverdueBackups(pool, daily, hours(47))).toBe(false);
    expect(await reportOverdueBackups(pool, daily, hours(49))).toBe(true);
    expect(await faultOf()).toMatchObject({ code: 'backup_overdue' });
    const young = await run();
    expect(await faultOf()).toBeUndefined();
    expect(await desk.isDegraded()).toBe(false);
    const verifiedNames = async () =>
      (await listStoredBackups(desk.deps.store)).filter(({ verification }) => verification).map(({ name }) => name);
    expect(await verifiedNames()).toEqual([before.lastVerified?.name, young?.name]);

    await makeOlder(before.lastVerified?.name ?? '', hours(-49));
    const done = await run();
    const { backups, lastVerified } = await desk.list();
    expect(lastVerified).toEqual(done);
    expect(backups.find(({ name }) => name === before.lastVerified?.name)?.state).toBe('deleted');
    expect(await verifiedNames()).toEqual([young?.name, done?.name]);
    expect(await reportOverdueBackups(pool, 7 * daily, hours(300))).toBe(false); // a week between two
  });
});
