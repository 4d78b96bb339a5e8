import { type S3Sandbox, startS3Sandbox } from '../../sandbox/s3/s3-sandbox.ts';
import { openDatabase } from '../../src/db/pool.ts';
import type { Backup, BackupList } from '../../src/domain/backup.ts';
import { createLog } from '../../src/log.ts';
import { type BackupRunDeps, backupRunDepsOf } from '../../src/operations/backup-deps.ts';
import { openObjectStore } from '../../src/storage/open-object-store.ts';
import type { WorkerRole } from '../../workers/main.ts';
import { adminHeader, type Backend, type Engine, startEngine } from './engine.ts';
import { until } from './until.ts';

/** An engine whose backups go to a stand-in for S3. */
export interface BackupDesk {
  engine: Engine;
  s3: S3Sandbox;
  /** What a run in this process works with. */
  deps: BackupRunDeps;
  ask(): Promise<Backup>;
  list(): Promise<BackupList>;
  find(id: string): Promise<Backup>;
  untilState(id: string, state: Backup['state']): Promise<Backup>;
  /** So that the data of this backup lie in the store, and its manifest never comes to it; gives when that is so. */
  hangManifestOf(name: string): () => Promise<unknown>;
  /** What lies in the store of backups that have this in their names. */
  keysOf(name: string): string[];
  /** Of `/readyz`. */
  isDegraded(): Promise<boolean>;
  close(): Promise<void>;
}

export async function openBackupDesk(
  backend: Backend,
  { roles = [], env = {} }: { roles?: WorkerRole[]; env?: Record<string, string> } = {},
): Promise<BackupDesk> {
  const s3 = await startS3Sandbox({ buckets: ['backups'] });
  const settings = { ...s3.settings('BACKUP_S3'), STORE_TIMEOUT: '1s', BACKUP_CRON: 'off', ...env };
  const engine = await startEngine(backend, { roles, env: settings });
  const { api, config } = engine;
  const log = createLog('silent', 'test');
  const { pool, close: closeDatabase } = await openDatabase(config.databaseUrl, log, { poolSize: 4 });
  const { backups } = config.stores;
  if (!backups) throw new TypeError('the stand-in is the store');
  const prefix = backups.kind === 's3' ? backups.prefix : '';
  const store = openObjectStore(backups, { publicUrl: '', linkSecrets: null });
  const deps = backupRunDepsOf({ databaseUrl: config.databaseUrl, pool, store, settings: config.backup, log });
  const admin = { headers: adminHeader };
  const find = async (id: string) => {
    const { body } = await api.call<{ backup: Backup }>('GET', `/v1/admin/backups/${id}`, admin);
    return body.backup;
  };
  return {
    engine,
    s3,
    deps,
    find,
    async ask() {
      return (await api.call<{ backup: Backup }>('POST', '/v1/admin/backups', admin)).body.backup;
    },
    async list() {
      return (await api.call<BackupList>('GET', '/v1/admin/backups', admin)).body;
    },
    untilState: (id, state) =>
      until(
        `backup ${state}`,
        async () => {
          const backup = await find(id);
          if (backup.state === state) return backup;
          if (backup.finishedAt !== null) throw new Error(`${backup.state}: ${backup.failure}`);
          return false;
        },
        20_000,
      ),
    hangManifestOf(name) {
      const key = `${prefix}${name}/manifest.json`;
      s3.faults.add({ kind: 'hangs', operation: 'put', key, times: 1_000 });
      return () => until('the manifest that hangs', () => s3.faults.met().some((met) => met.key === key), 30_000);
    },
    keysOf: (name) => s3.keys().flatMap((key) => (key.includes(name) ? [key.slice(prefix.length)] : [])),
    async isDegraded() {
      const { body } = await api.call<{ degraded: string[] }>('GET', '/readyz');
      return body.degraded.includes('backups');
    },
    async close() {
      s3.faults.clear();
      await engine.close();
      store.close();
      await closeDatabase();
      await s3.close();
    },
  };
}
