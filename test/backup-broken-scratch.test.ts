import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFreePort } from '../sandbox/free-port.ts';
import { type PrivatePostgres, startPrivatePostgres } from '../sandbox/private-postgres.ts';
import { ScratchUnavailableError } from '../src/backup/backup-errors.ts';
import { makeBackupName } from '../src/backup/backup-name.ts';
import { findStoredBackup } from '../src/backup/stored-backups.ts';
import { takeBackup } from '../src/operations/take-backup.ts';
import { verifyBackup } from '../src/operations/verify-backup.ts';
import { type BackupScene, openBackupScene, run } from './support/backup-scene.ts';

const mebibyte = 1024 * 1024;

/** What a scratch database is made on: a server of the test's own, so that it may be spoiled. */
describe('a server for scratch databases', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'twolane-scratch-'));
  let server: PrivatePostgres;
  let scene: BackupScene;
  let name: string;

  beforeAll(async () => {
    chmodSync(folder, 0o711); // Postgres may have to run as another user
    [server, scene] = await Promise.all([
      startPrivatePostgres({ dataDir: folder, settings: { fsync: 'off' } }),
      openBackupScene(20),
    ]);
    // One file of more than 24 MiB, which is little in a backup.
    await scene.database.query(
      `CREATE TABLE ballast AS SELECT i, repeat(md5((i % 9)::text), 40) AS text FROM generate_series(1, 24000) i`,
    );
    name = makeBackupName();
    await takeBackup(scene.deps, { name });
  });
  afterAll(async () => {
    await scene.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const scratches = async () =>
    (
      await run<{ name: string }>(
        server.url,
        `SELECT datname AS name FROM pg_database WHERE datname LIKE 'twolane\\_%' ORDER BY 1`,
      )
    ).map((database) => database.name);
  const failure = async (scratchUrl: string) => {
    const outcome = await verifyBackup({ ...scene.deps, scratchUrl }, { name }).catch((error: unknown) => error);
    expect(outcome).toBeInstanceOf(ScratchUnavailableError);
    expect((await findStoredBackup(scene.deps.store, name))?.verification).toBeNull();
    return outcome as ScratchUnavailableError;
  };
  /** The soft limit, which its own user may move. */
  const limitFiles = (bytes: string) => {
    const { uid, gid } = statSync(`/proc/${server.pid}`);
    const set = spawnSync('prlimit', ['--pid', `${server.pid}`, `--fsize=${bytes}:`], { uid, gid, encoding: 'utf8' });
    expect(set).toMatchObject({ status: 0, stderr: '' });
  };

  it('that has no room is said to be full, and keeps nothing', async () => {
    limitFiles(`${17 * mebibyte}`); // of one file: the server's own, of 16 MiB, still fit
    const full = await failure(server.url);
    expect(full).toMatchObject({ reason: 'full', message: expect.stringContaining('BACKUP_SCRATCH_DATABASE_URL') });
    expect(await scratches()).toEqual([]);
    limitFiles('unlimited');
  });

  it('that lets us make none, or is away, is said with what to do', async () => {
    await run(server.url, `CREATE ROLE poor LOGIN PASSWORD 'poor'`);
    const poor = new URL(server.url);
    poor.username = 'poor';
    poor.password = 'poor';
    expect(await failure(poor.href)).toMatchObject({
      reason: 'not_allowed',
      message: expect.stringContaining('CREATEDB'),
    });
    const away = new URL(server.url);
    away.port = String(await findFreePort());
    expect(await failure(away.href)).toMatchObject({
      reason: 'away',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('is rid of what runs that died have left, and of nothing that is used', async () => {
    for (const [database, madeAt] of [
      ['twolane_verify_00000000dead', '2026-01-01T00:00:00Z'],
      ['twolane_verify_00000000beef', '2026-01-01T00:00:00Z'],
      ['twolane_verify_0000000000ab', new Date().toISOString()],
      ['twolane_of_somebody', '2026-01-01T00:00:00Z'],
    ]) {
      await run(server.url, `CREATE DATABASE ${database}`);
      await run(server.url, `COMMENT ON DATABASE ${database} IS 'twolane compares a backup here; made ${madeAt}'`);
    }
    const used = new pg.Client(server.url.replace(/\/postgres$/, '/twolane_verify_00000000beef'));
    await used.connect();
    const verification = await verifyBackup({ ...scene.deps, scratchUrl: server.url }, { name });
    expect(verification).toMatchObject({ name, serverVersion: expect.stringMatching(/^\d/) });
    expect(await scratches()).toEqual([
      'twolane_of_somebody',
      'twolane_verify_0000000000ab',
      'twolane_verify_00000000beef',
    ]);
    await used.end();
  });
});
