import type { BackupContents } from '../backup/backup-contents.ts';
import type { BackupCall, BackupDeps } from '../backup/backup-deps.ts';
import { BackupDamagedError, BackupTooNewError } from '../backup/backup-errors.ts';
import { readBackup } from '../backup/backup-reader.ts';
import type { BackupManifest } from '../backup/manifest.ts';
import { paced } from '../backup/pacer.ts';
import { startPhase } from '../backup/progress.ts';
import { assertVolumesThere } from '../backup/volumes.ts';
import { isRowFault } from '../db/fault.ts';
import { readMigrations } from '../db/migrations.ts';
import { type BeforeCommit, openRestoreTarget } from '../db/restore-target.ts';
import { openManifest, readBackBackup } from './read-back-backup.ts';

export interface RestoreCall extends BackupCall {
  targetUrl: string;
  /** `public` of an empty database, or an empty or absent schema of any, for looking at the data. */
  schema: string;
  beforeCommit?: BeforeCommit;
}

export interface Restored {
  manifest: BackupManifest;
  /** From the first byte read to the last index built; without the rests of a gentle pace. */
  restoreMs: number;
}

/**
 * In one transaction: a backup that turns out to be broken leaves nothing. Afterwards the target has the migrations of the backup;
 * the newer ones are the caller's (`migrate`).
 */
export async function restoreBackup(deps: Pick<BackupDeps, 'store' | 'keys'>, call: RestoreCall): Promise<Restored> {
  const { manifest } = await openManifest(deps, call);
  const known = new Map((await readMigrations()).map(({ name, checksum }) => [name, checksum]));
  const unknown = manifest.migrations.filter(({ name, checksum }) => known.get(name) !== checksum);
  if (unknown.length > 0)
    throw new BackupTooNewError(
      manifest.name,
      `this one does not have its ${unknown.map(({ name }) => name).join(', ')} like that`,
    );
  const { restoreMs } = await loadBackup(deps, call);
  return { manifest, restoreMs };
}

/** Whatever its migrations are. */
export async function loadBackup(
  deps: Pick<BackupDeps, 'store' | 'keys'>,
  call: RestoreCall & { isForAMoment?: boolean },
): Promise<Restored & { contents: BackupContents }> {
  const startedAt = performance.now();
  const restedBefore = call.pacer?.restedMs ?? 0;
  const { manifest, key } = await openManifest(deps, call);
  const restoring = startPhase(call, 'restore', manifest.totals.storedBytes, 'bytes');
  const options = { store: deps.store, manifest, key, signal: call.signal, onBytes: restoring.add };
  await assertVolumesThere(options);
  const target = await openRestoreTarget(call.targetUrl, call.schema, call.signal);
  try {
    const contents = await readBackup(options, {
      async begin(contents) {
        await target.prepare(contents);
        if (call.isForAMoment) await target.makeUnlogged();
      },
      async table(table, csv) {
        const rows = await target.load(table, paced(call.pacer, csv));
        if (rows !== table.rows)
          throw new BackupDamagedError(
            manifest.name,
            `table ${table.name} took ${rows} rows of the ${table.rows} that were stored`,
          );
      },
    });
    await target.commit(contents, call.beforeCommit);
    restoring.end();
    const restedMs = (call.pacer?.restedMs ?? 0) - restedBefore;
    return { manifest, contents, restoreMs: Math.round(performance.now() - startedAt - restedMs) };
  } catch (error) {
    if (call.signal?.aborted) throw call.signal.reason;
    if (isRowFault(error)) await explainRowFault(deps, call, error);
    throw target.lostBy() ?? error;
  } finally {
    await target.close();
  }
}

/** Rows reach Postgres before the sum over them is known, so a changed byte may be refused by Postgres first. */
async function explainRowFault(
  deps: Pick<BackupDeps, 'store' | 'keys'>,
  { name, signal }: RestoreCall,
  cause: unknown,
): Promise<never> {
  await readBackBackup(deps, { name, ...(signal && { signal }) });
  throw new BackupDamagedError(
    name,
    `it is as it was stored, but Postgres does not take it (${(cause as Error).message})`,
    { cause },
  );
}
