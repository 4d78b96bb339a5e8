import { createHash } from 'node:crypto';
import { recipientOf } from '../backup/age-stream.ts';
import { contentsPath, piecePath, readmePath, scriptPath } from '../backup/backup-contents.ts';
import type { BackupCall, BackupDeps } from '../backup/backup-deps.ts';
import { type BackupWriter, openBackupWriter } from '../backup/backup-writer.ts';
import { cutAtRows } from '../backup/csv-rows.ts';
import { type BackedUpTable, type BackupManifest, formatVersion, sealManifest } from '../backup/manifest.ts';
import type { Pacer } from '../backup/pacer.ts';
import { type PhaseProgress, startPhase } from '../backup/progress.ts';
import { writeReadme, writeRestoreScript } from '../backup/restore-script.ts';
import { deleteStoredBackup, manifestKey } from '../backup/stored-backups.ts';
import { defaultVolumeBytes, volumeStem } from '../backup/volumes.ts';
import { copyOut } from '../db/copy-tables.ts';
import { openSnapshot, type Snapshot } from '../db/snapshot.ts';

/** tar has to know how long a file is before its first byte, so a piece is held in memory. */
const pieceBytes = 2 * 1024 * 1024;

/**
 * Stores one snapshot of the database as `<name>/…`:
 * 1. in one transaction that sees the database as it was at one moment, every table by COPY, and what the rows mean in sums;
 * 2. cut, packed, compressed, encrypted and stored as it comes, so nothing waits on a disk;
 * 3. when all of that is in the store, the manifest: before, there is no backup.
 * Whatever fails, nothing of it stays; if even that fails, what stays has no manifest.
 */
export async function takeBackup(deps: BackupDeps, call: BackupCall): Promise<BackupManifest> {
  const { store } = deps;
  const { name, signal } = call;
  signal?.throwIfAborted();
  await assertFree(deps, name);
  try {
    const manifest = await storeSnapshot(deps, call);
    await store.put(manifestKey(name), Buffer.from(JSON.stringify(manifest, null, 2)), {
      contentType: 'application/json',
      ...(signal && { signal }),
    });
    return manifest;
  } catch (error) {
    await deleteStoredBackup(store, name).catch(() => {}); // the first error says more, and without its manifest it is no backup
    throw signal?.aborted ? signal.reason : error;
  }
}

async function assertFree({ store }: BackupDeps, name: string): Promise<void> {
  for await (const { key } of store.list(`${name}/`))
    throw new Error(`${key} is in the store already: take another name`);
}

async function storeSnapshot(deps: BackupDeps, call: BackupCall): Promise<BackupManifest> {
  const { name, signal } = call;
  const [key] = deps.keys;
  const recipient = key === undefined ? null : await recipientOf(key);
  const looking = startPhase(call, 'snapshot', 1, 'tables');
  const snapshot = await openSnapshot(deps.databaseUrl, signal);
  try {
    looking.add(1);
    looking.end();
    const writer = openBackupWriter({
      store: deps.store,
      name,
      stem: volumeStem(deps.compression, recipient !== null),
      volumeBytes: deps.volumeBytes ?? defaultVolumeBytes,
      compression: deps.compression,
      recipient,
      changedAt: new Date(snapshot.at),
      signal,
    });
    try {
      const { tables, business } = await writeAll(snapshot, writer, call);
      await snapshot.close(); // the last bytes are under way: nothing of the database waits for the store any more
      const volumes = await writer.finish();
      const facts = {
        format: 'twolane-backup' as const,
        formatVersion,
        name,
        snapshotAt: snapshot.at,
        finishedAt: new Date().toISOString(),
        serverVersion: snapshot.serverVersion,
        migrations: snapshot.migrations.map(({ name, checksum }) => ({ name, checksum })),
        tables,
        leftOut: snapshot.plan.leftOut,
        business,
        compression: deps.compression,
        encryption: recipient === null ? null : { method: 'age' as const, recipient },
        volumes,
        totals: {
          tables: tables.length,
          rows: sum(tables.map(({ rows }) => rows)),
          csvBytes: sum(tables.map(({ bytes }) => bytes)),
          storedBytes: sum(volumes.map(({ bytes }) => bytes)),
        },
      };
      return sealManifest(facts, key ?? null);
    } catch (error) {
      await writer.abort(error instanceof Error ? error : new Error(String(error)));
      throw snapshot.lostBy() ?? error;
    }
  } finally {
    await snapshot.close();
  }
}

async function writeAll(snapshot: Snapshot, writer: BackupWriter, call: BackupCall) {
  const { plan, migrations, sequences } = snapshot;
  const contents = {
    name: call.name,
    snapshotAt: snapshot.at,
    migrations: migrations.map(({ name, checksum, text }) => ({ name, checksum, text })),
    before: plan.before,
    tables: plan.tables.map(({ name, columns }) => ({ name, columns })),
    after: plan.after,
    sequences,
  };
  await writer.add(readmePath, [Buffer.from(writeReadme(contents))]);
  await writer.add(contentsPath, [Buffer.from(JSON.stringify(contents, null, 2))]);
  const expectedRows = sum(plan.tables.map(({ estimatedRows }) => estimatedRows));
  const upload = startPhase(call, 'upload', expectedRows, 'rows');
  const tables: BackedUpTable[] = [];
  for (const table of plan.tables)
    tables.push(await writeTable(snapshot, writer, table, { upload, pacer: call.pacer }));
  const business = await snapshot.readSums();
  await writer.add(scriptPath, [Buffer.from(writeRestoreScript(contents, tables))]);
  upload.end();
  return { tables, business };
}

async function writeTable(
  { client }: Snapshot,
  writer: BackupWriter,
  { name, columns }: { name: string; columns: string[] },
  { upload, pacer }: { upload: PhaseProgress; pacer: Pacer | undefined },
): Promise<BackedUpTable> {
  const hash = createHash('sha256');
  const table: BackedUpTable = { name, columns, rows: 0, bytes: 0, sha256: '', pieces: 0 };
  const csv = cutAtRows(copyOut(client, { name, columns }), pieceBytes, (rows) => {
    table.rows += rows;
    upload.add(rows);
  });
  for await (const piece of csv) {
    for (const chunk of piece) {
      hash.update(chunk);
      table.bytes += chunk.length;
    }
    table.pieces += 1;
    await writer.add(piecePath(name, table.pieces), piece);
    await pacer?.rest();
  }
  table.sha256 = hash.digest('hex');
  return table;
}

const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0);
