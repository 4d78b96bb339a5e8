import { randomUUID } from 'node:crypto';
import type { DatabasePool } from 'slonik';
import { listStoredBackups, type StoredBackup } from '../backup/stored-backups.ts';
import { markGoneBackups, saveStoredBackup } from '../db/backups.ts';
import type { ObjectStore } from '../storage/object-store.ts';

/** Brings what the database says of backups in line with the store, which is the truth; gives how many lie there. */
export async function syncBackups({ pool, store }: { pool: DatabasePool; store: ObjectStore }): Promise<number> {
  const stored = await listStoredBackups(store);
  await pool.transaction(async (transaction) => {
    for (const backup of stored) await saveStoredBackup(transaction, { id: randomUUID(), ...factsOf(backup) });
    await markGoneBackups(
      transaction,
      stored.map(({ name }) => name),
    );
  });
  return stored.length;
}

function factsOf({ name, storedBytes, manifest, fault, verification }: StoredBackup) {
  return {
    name,
    fault,
    storedBytes: manifest?.totals.storedBytes ?? storedBytes,
    snapshotAt: manifest && new Date(manifest.snapshotAt),
    rows: manifest?.totals.rows ?? null,
    tables: manifest?.totals.tables ?? null,
    isEncrypted: manifest && manifest.encryption !== null,
    verifiedAt: verification && new Date(verification.verifiedAt),
    restoreMs: verification?.restoreMs ?? null,
  };
}
