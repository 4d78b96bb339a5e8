import { connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RestoreUnfinishedError } from '../src/backup/backup-errors.ts';
import { openDatabase } from '../src/db/pool.ts';
import { createLog } from '../src/log.ts';
import { readBackups } from '../src/operations/read-backups.ts';
import { type RestoreEngineRequest, restoreEngine } from '../src/operations/restore-engine.ts';
import { takeBackup } from '../src/operations/take-backup.ts';
import { type BackupScene, openBackupScene, run } from './support/backup-scene.ts';

const name = '20260301T023000Z-aaaaaa';
const log = createLog('silent', 'test');
let scene: BackupScene;
beforeAll(async () => {
  scene = await openBackupScene(20);
  // As of the run that makes it: in its own snapshot it is under way.
  await run(
    scene.database.url,
    `INSERT INTO backups (id, name, state, trigger, requested_by, started_at, seen_at)
     VALUES ('11111111-1111-4111-8111-111111111111', '${name}', 'running', 'api', 'admin', now(), now()),
       ('22222222-2222-4222-8222-222222222222', '20260301T023000Z-bbbbbb', 'running', 'api', 'admin', now(), now())`,
  );
  await takeBackup(scene.deps, { name });
});
afterAll(() => scene?.close());

const restore = (targetUrl: string, redisUrl: string | null, more: Partial<RestoreEngineRequest> = {}) =>
  restoreEngine(
    { ...scene.deps, queues: { redisUrl, prefix: `restore-${process.pid}` }, log },
    { name, targetUrl, by: 'a test', ...more },
  );
const countOrders = (url: string) => run<{ count: number }>(url, 'SELECT count(*)::int FROM orders');

/** The way to a server, which can be cut. */
async function openWire(to: URL) {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(to.port), to.hostname);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {}); // cut
      socket.on('close', () => other.destroy());
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number }; // of a TCP server, it is that
  return {
    url: Object.assign(new URL(to), { hostname: '127.0.0.1', port: String(port) }).href,
    cut() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

describe('a restore of which something fails when all rows are in', () => {
  it('as Redis is lost on the way: says that nothing may run on it, and does nothing more until it is emptied', async () => {
    const redis = await openWire(new URL(process.env.TEST_REDIS_URL ?? ''));
    const target = await scene.makeDatabase();
    const failed = restore(target, redis.url, { onProgress: ({ phase }) => phase === 'restore' && redis.cut() });
    const error = await failed.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RestoreUnfinishedError);
    expect((error as Error).message).toMatch(/^All rows were restored.* The queue store .*Empty the database/);
    expect(await countOrders(target)).toEqual([{ count: 20 }]);
    await expect(restore(target, null)).rejects.toThrow(/not empty/);
  }, 60_000);

  it('as something is in the way of the queues in Postgres', async () => {
    const target = await scene.makeDatabase();
    await run(target, 'CREATE SCHEMA bullmq; CREATE TABLE bullmq.job (id text)');
    await expect(restore(target, null)).rejects.toThrow(RestoreUnfinishedError);
    expect(await countOrders(target)).toEqual([{ count: 20 }]);
    await run(target, 'DROP SCHEMA bullmq CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    expect(await restore(target, null)).toMatchObject({ manifest: { name } });
  });
});

it('knows of a restored backup what the store says, though its own snapshot shows it under way', async () => {
  const target = await scene.makeDatabase();
  await restore(target, null);
  const database = await openDatabase(target, log, { poolSize: 1 });
  const plan = { cron: null, keep: { daily: 1, weekly: 0, monthly: 0 }, store: null, isEncrypted: true };
  const { backups } = await readBackups({ pool: database.pool, plan });
  await database.close();
  const told = Object.fromEntries(backups.map((backup) => [backup.name, backup]));
  expect(told[name]).toMatchObject({ state: 'stored', failure: null, requestedBy: 'admin', encrypted: true });
  expect(told[name]?.rows).toBeGreaterThan(20);
  const other = { state: 'failed', failure: expect.stringContaining('was under way'), storedBytes: null };
  expect(told['20260301T023000Z-bbbbbb']).toMatchObject(other);
});
