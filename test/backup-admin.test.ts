import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { makeBackupName } from '../src/backup/backup-name.ts';
import {
  beginBackup,
  endBackup,
  insertBackup,
  noteStored,
  noteVerified,
  saveBackupProgress,
} from '../src/db/backups.ts';
import { type Database, openDatabase } from '../src/db/pool.ts';
import { reportServiceFault } from '../src/db/service-faults.ts';
import type { Backup, BackupList } from '../src/domain/backup.ts';
import { createLog } from '../src/log.ts';
import { manager, normal } from './support/api.ts';
import { adminHeader, type Engine, startEngine } from './support/engine.ts';

let engine: Engine;
let database: Database;
beforeAll(async () => {
  engine = await startEngine('postgres', { roles: [], env: { BACKUP_CRON: '30 2 * * *', BACKUP_KEEP_WEEKLY: '5' } });
  database = await openDatabase(engine.database.url, createLog('fatal', 'test'), { poolSize: 2 });
});
afterAll(async () => {
  await database.close();
  await engine.close();
});
beforeEach(() => engine.database.query('TRUNCATE backups, service_faults, outbox'));

const admin = { headers: adminHeader };
const list = async () => (await engine.api.call<BackupList>('GET', '/v1/admin/backups', { as: manager })).body;
const ask = () => engine.api.call<{ backup: Backup }>('POST', '/v1/admin/backups', admin);
const page = (method = 'GET', headers: Record<string, string> = {}) =>
  fetch(new URL('/admin/backups', engine.web.url), {
    method,
    redirect: 'manual',
    headers: { ...adminHeader, ...headers },
    ...(method === 'POST' && { body: new URLSearchParams() }),
  });

const facts = (snapshotAt: Date) => ({
  snapshotAt,
  storedBytes: 12_345_678,
  rows: 1_234_567,
  tables: 31,
  isEncrypted: true,
  backupMs: 8_400,
});

async function verified(snapshotAt: Date): Promise<Backup> {
  const { pool } = database;
  const backup = await insertBackup(pool, {
    id: randomUUID(),
    name: makeBackupName(snapshotAt),
    trigger: 'schedule',
    requestedBy: 'schedule',
  });
  await beginBackup(pool, backup.id);
  await noteStored(pool, backup.id, facts(snapshotAt));
  await noteVerified(pool, backup.id, 21_000);
  return backup;
}

it('asks for one backup, however often it is asked while that one waits', async () => {
  const answers = await Promise.all(Array.from({ length: 5 }, ask));
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202]);
  expect(new Set(answers.map(({ body }) => body.backup.id)).size).toBe(1);
  const [{ body }] = answers as [(typeof answers)[number]];
  expect(body.backup).toMatchObject({ state: 'queued', trigger: 'api', requestedBy: 'admin', progress: null });
  expect(await engine.database.query("SELECT jobs FROM outbox WHERE queue = 'backup'")).toHaveLength(1);

  const audit = await engine.api.call<{ events: { subject: string }[] }>(
    'GET',
    '/v1/admin/audit?action=backup_requested',
    admin,
  );
  expect(audit.body.events.map(({ subject }) => subject)).toEqual([`backup ${body.backup.name}`]);

  await endBackup(database.pool, body.backup.id, { failure: 'burnt', isWhole: false });
  const next = await ask();
  expect(next.body.backup.id).not.toBe(body.backup.id);
});

it('gives the one that is under way, but none whose process fell silent', async () => {
  const { body } = await ask();
  await beginBackup(database.pool, body.backup.id);
  await saveBackupProgress(database.pool, body.backup.id, { phase: 'upload', done: 40, total: 100 });
  const again = await ask();
  expect(again.body.backup).toMatchObject({
    id: body.backup.id,
    state: 'running',
    phase: 'upload',
    progress: { done: 40, total: 100, unit: 'rows' },
  });
  await engine.database.query("UPDATE backups SET seen_at = now() - interval '2 minutes'");
  expect((await ask()).body.backup.id).not.toBe(body.backup.id);
});

it('tells what there is, when the next one comes, and how much is kept', async () => {
  expect(await list()).toMatchObject({ backups: [], lastVerified: null });
  const old = await verified(new Date(Date.now() - 86_400_000));
  const last = await verified(new Date(Date.now() - 3_600_000));
  const { body } = await ask();
  const told = await list();
  expect(told.backups.map(({ id }) => id)).toEqual([body.backup.id, last.id, old.id]);
  expect(told.lastVerified).toMatchObject({ id: last.id, rows: 1_234_567, restoreMs: 21_000, encrypted: true });
  expect(told).toMatchObject({ keep: { daily: 7, weekly: 5, monthly: 12 }, encrypted: false });
  expect(told.store).toMatch(/backups$/);
  expect(told.schedule.cron).toBe('30 2 * * *');
  const nextAt = new Date(told.schedule.nextAt ?? 0);
  expect([nextAt.getUTCHours(), nextAt.getUTCMinutes(), nextAt > new Date()]).toEqual([2, 30, true]);

  const one = await engine.api.call<{ backup: Backup }>('GET', `/v1/admin/backups/${last.id}`, { as: manager });
  expect(one.body.backup).toEqual(told.lastVerified);
  const missing = await engine.api.call<{ code: string }>('GET', `/v1/admin/backups/${randomUUID()}`, { as: manager });
  expect([missing.status, missing.body.code]).toEqual([404, 'backup_not_found']);
});

it('is measured by the last verified one, and by nothing where there is none', async () => {
  const read = async () => (await fetch(new URL('/metrics', engine.web.url), { headers: adminHeader })).text();
  await ask();
  const before = await read();
  expect(before).toContain('twolane_backups{state="queued"} 1');
  expect(before).toContain('twolane_reachable{part="backup_figures"} 1');
  expect(before).not.toMatch(/^twolane_backup_last_verified_age_seconds/m);
  await verified(new Date(Date.now() - 7_200_000));
  const after = await read();
  expect(Number(/^twolane_backup_last_verified_age_seconds (\S+)/m.exec(after)?.[1])).toBeGreaterThan(7_190);
  expect(after).toMatch(/^twolane_backup_restore_seconds 21$/m);
  expect(after).toMatch(/^twolane_backup_last_duration_seconds 8.4$/m);
  expect(after).toMatch(/^twolane_backup_stored_bytes 12345678$/m);
});

it('shows all of it on a page whose button makes one, for admins alone', async () => {
  await verified(new Date(Date.now() - 3_600_000));
  await engine.database.query("UPDATE backups SET state = 'deleted' WHERE name = $1", [
    (await verified(new Date(Date.now() - 7_200_000))).name,
  ]);
  const hostile = await insertBackup(database.pool, {
    id: randomUUID(),
    name: makeBackupName(),
    trigger: 'api',
    requestedBy: '<img src=x>',
  });
  await endBackup(database.pool, hostile.id, { failure: 'said "<script>alert(1)</script>" & left', isWhole: false });
  await reportServiceFault(database.pool, { service: 'backups', code: 'store_away', message: 'The store <b>is away' });
  const shown = await page();
  const html = await shown.text();
  expect(shown.headers.get('content-security-policy')).toMatch(/default-src 'none'.*form-action 'self'/);
  expect(html).toContain('60 min ago');
  expect(html).toContain('1,234,567');
  expect(html).toContain('<span class="state" data-state="deleted">deleted</span>');
  expect(html).toContain('The store &lt;b&gt;is away');
  expect(html).toContain('&lt;script&gt;');
  expect(html).not.toMatch(/<script|<img src=x|<b>/);
  expect(html).toContain('Back up now');

  const queues = await fetch(new URL('/admin/queues', engine.web.url), { headers: adminHeader });
  expect(await queues.text()).toContain('/admin/backups');

  const pressed = await page('POST', { 'sec-fetch-site': 'same-origin' });
  expect([pressed.status, pressed.headers.get('location')]).toEqual([303, '/admin/backups']);
  const [newest] = (await list()).backups;
  expect(newest).toMatchObject({ state: 'queued', requestedBy: 'admin' });
  const during = await (await page()).text();
  expect(during).toContain('waiting for a worker');
  expect(during).not.toContain('Back up now');
  expect(during).toContain('http-equiv="refresh" content="2"');
});

it('lets no other page press the button, and nobody else in', async () => {
  expect((await page('POST', { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  expect((await page('POST', { origin: 'https://elsewhere.example' })).status).toBe(403);
  expect((await list()).backups).toEqual([]);
  const token = await engine.api.tokenOf(manager);
  const asManager = await page('GET', { authorization: `Bearer ${token}` });
  expect(asManager.status).toBe(401);
  expect((await engine.api.call('GET', '/v1/admin/backups', { as: normal })).status).toBe(403);
  expect((await engine.api.call('POST', '/v1/admin/backups', { as: manager })).status).toBe(401);
});
