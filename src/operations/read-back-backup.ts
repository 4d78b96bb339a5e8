import { recipientOf } from '../backup/age-stream.ts';
import type { BackupCall, BackupDeps } from '../backup/backup-deps.ts';
import { BackupKeyError } from '../backup/backup-errors.ts';
import { readBackup } from '../backup/backup-reader.ts';
import { assertSealed, type BackupManifest } from '../backup/manifest.ts';
import { startPhase } from '../backup/progress.ts';
import { readManifest } from '../backup/stored-backups.ts';
import { assertVolumesThere } from '../backup/volumes.ts';

/** Reads all of it and checks every sum in it; restores nothing. */
export async function readBackBackup(
  deps: Pick<BackupDeps, 'store' | 'keys'>,
  call: BackupCall,
): Promise<BackupManifest> {
  const { manifest, key } = await openManifest(deps, call);
  const reading = startPhase(call, 'read_back', manifest.totals.storedBytes, 'bytes');
  const options = { store: deps.store, manifest, key, signal: call.signal, onBytes: reading.add };
  await assertVolumesThere(options);
  await readBackup(options, {
    begin: async () => {},
    async table(_table, csv) {
      for await (const _ of csv); // read for its sums alone
    },
  });
  reading.end();
  return manifest;
}

/**
 * What the manifest says, once it is known to be ours, with the key that opens the rest. Throws `BackupDamagedError`, `BackupKeyError`,
 * `BackupTooNewError`.
 */
export async function openManifest(
  { store, keys }: Pick<BackupDeps, 'store' | 'keys'>,
  { name, signal }: BackupCall,
): Promise<{ manifest: BackupManifest; key: string | null }> {
  signal?.throwIfAborted();
  const manifest = await readManifest(store, name);
  if (manifest.encryption === null) return { manifest, key: null };
  const { recipient } = manifest.encryption;
  const ours = await Promise.all(keys.map(async (key) => ({ key, recipient: await recipientOf(key) })));
  const key = ours.find((candidate) => candidate.recipient === recipient)?.key;
  if (key === undefined)
    throw new BackupKeyError(
      name,
      recipient,
      ours.map((candidate) => candidate.recipient),
    );
  assertSealed(manifest, key);
  return { manifest, key };
}
