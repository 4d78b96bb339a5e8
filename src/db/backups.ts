import { z } from 'zod';
import {
  type Backup,
  type BackupPhase,
  type BackupState,
  type BackupTrigger,
  backupPhaseSchema,
  backupStateSchema,
  backupTriggerSchema,
  unitOfPhase,
} from '../domain/backup.ts';
import { isoTime } from '../domain/time.ts';
import { type Db, int8, nothing, sql, time } from './sql.ts';

const backupRow = z
  .object({
    id: z.uuid(),
    name: z.string(),
    state: backupStateSchema,
    phase: backupPhaseSchema.nullable(),
    done: int8,
    total: int8,
    trigger: backupTriggerSchema,
    requestedBy: z.string(),
    createdAt: time,
    startedAt: time.nullable(),
    snapshotAt: time.nullable(),
    verifiedAt: time.nullable(),
    finishedAt: time.nullable(),
    storedBytes: int8.nullable(),
    rows: int8.nullable(),
    tables: z.number().nullable(),
    encrypted: z.boolean().nullable(),
    backupMs: z.number().nullable(),
    restoreMs: z.number().nullable(),
    failure: z.string().nullable(),
  })
  .transform(({ phase, done, total, ...row }): Backup => {
    const isUnderWay = row.startedAt !== null && row.finishedAt === null;
    return {
      ...row,
      phase,
      progress: isUnderWay && phase ? { done, total, unit: unitOfPhase[phase] } : null,
      createdAt: new Date(row.createdAt).toISOString(),
      startedAt: isoTime(row.startedAt),
      snapshotAt: isoTime(row.snapshotAt),
      verifiedAt: isoTime(row.verifiedAt),
      finishedAt: isoTime(row.finishedAt),
    };
  });

const backupColumns = sql.fragment`
  id, name, state, phase, done_units AS done, total_units AS total, trigger, requested_by AS "requestedBy", created_at AS "createdAt",
  started_at AS "startedAt", snapshot_at AS "snapshotAt", verified_at AS "verifiedAt", finished_at AS "finishedAt",
  stored_bytes AS "storedBytes", row_count AS rows, table_count AS tables, is_encrypted AS encrypted, backup_ms AS "backupMs",
  restore_ms AS "restoreMs", failure`;

/** Those that nobody has ended: what waits, what is under way, and what died. */
const isOpen = sql.fragment`finished_at IS NULL`;

export function findBackup(db: Db, id: string): Promise<Backup | null> {
  return db.maybeOne(sql.type(backupRow)`SELECT ${backupColumns} FROM backups WHERE id = ${id}`);
}

/** Newest first. */
export function listBackups(db: Db, limit: number): Promise<readonly Backup[]> {
  return db.any(sql.type(backupRow)`
    SELECT ${backupColumns} FROM backups ORDER BY coalesce(snapshot_at, created_at) DESC, name DESC LIMIT ${limit}
  `);
}

/** The newest that is still in the store. */
export function findLastVerified(db: Db): Promise<Backup | null> {
  return db.maybeOne(sql.type(backupRow)`
    SELECT ${backupColumns} FROM backups WHERE state = 'verified' ORDER BY snapshot_at DESC, name DESC LIMIT 1
  `);
}

/** The one that waits or is under way; one whose process was not heard of for so long is neither. */
export function findBackupUnderWay(db: Db, silentMs: number): Promise<Backup | null> {
  return db.maybeOne(sql.type(backupRow)`
    SELECT ${backupColumns} FROM backups
    WHERE ${isOpen} AND (state = 'queued' OR seen_at > now() - ${silentMs}::float8 * interval '1 millisecond')
    ORDER BY created_at LIMIT 1
  `);
}

/** Call inside the transaction that asks for a backup: two that ask at once get the same one. */
export async function lockAsking(transaction: Db): Promise<void> {
  await transaction.query(sql.type(nothing)`SELECT pg_advisory_xact_lock(7201005)`);
}

export interface NewBackup {
  id: string;
  name: string;
  trigger: BackupTrigger;
  requestedBy: string;
}

export function insertBackup(db: Db, { id, name, trigger, requestedBy }: NewBackup): Promise<Backup> {
  return db.one(sql.type(backupRow)`
    INSERT INTO backups (id, name, trigger, requested_by) VALUES (${id}, ${name}, ${trigger}, ${requestedBy})
    RETURNING ${backupColumns}
  `);
}

/** The ids of those that wait for longer than this: their jobs may be lost. */
export function listWaitingBackups(db: Db, waitedMs: number): Promise<readonly string[]> {
  return db.anyFirst(sql.type(z.object({ id: z.uuid() }))`
    SELECT id FROM backups WHERE state = 'queued' AND created_at < now() - ${waitedMs}::float8 * interval '1 millisecond'
  `);
}

/** False when it does not wait any more. */
export async function beginBackup(db: Db, id: string): Promise<boolean> {
  const { rowCount } = await db.query(sql.type(nothing)`
    UPDATE backups SET state = 'running', started_at = now(), seen_at = now() WHERE id = ${id} AND state = 'queued'
  `);
  return rowCount === 1;
}

/** How far it is; also the sign that somebody is at it. False when it was ended by somebody else. */
export async function saveBackupProgress(
  db: Db,
  id: string,
  at: { phase: BackupPhase; done: number; total: number } | null,
): Promise<boolean> {
  const { rowCount } = await db.query(sql.type(nothing)`
    UPDATE backups SET seen_at = now(), phase = coalesce(${at?.phase ?? null}, phase),
      done_units = coalesce(${at?.done ?? null}::int8, done_units), total_units = coalesce(${at?.total ?? null}::int8, total_units)
    WHERE id = ${id} AND ${isOpen}
  `);
  return rowCount === 1;
}

/** What the manifest says of a backup. */
export interface BackupFacts {
  snapshotAt: Date;
  storedBytes: number;
  rows: number;
  tables: number;
  isEncrypted: boolean;
  /** Null where nobody measured it. */
  backupMs: number | null;
}

/** It lies in the store, whole. */
export async function noteStored(db: Db, id: string, facts: BackupFacts): Promise<void> {
  await db.query(sql.type(nothing)`
    UPDATE backups SET state = 'stored', seen_at = now(), snapshot_at = ${facts.snapshotAt.toISOString()}, stored_bytes = ${facts.storedBytes},
      row_count = ${facts.rows}, table_count = ${facts.tables}, is_encrypted = ${facts.isEncrypted},
      backup_ms = ${facts.backupMs}
    WHERE id = ${id} AND state = 'running'
  `);
}

/** It was restored and compared. */
export async function noteVerified(db: Db, id: string, restoreMs: number): Promise<void> {
  await db.query(sql.type(nothing)`
    UPDATE backups SET state = 'verified', verified_at = now(), finished_at = now(), seen_at = now(), restore_ms = ${restoreMs}
    WHERE id = ${id} AND state = 'stored' AND ${isOpen}
  `);
}

/** `isWhole`: it lies in the store all the same, and only could not be tried. */
export async function endBackup(
  db: Db,
  id: string,
  { failure, isWhole }: { failure: string; isWhole: boolean },
): Promise<void> {
  await db.query(sql.type(nothing)`
    UPDATE backups SET state = CASE WHEN state = 'stored' AND ${isWhole} THEN 'stored' ELSE 'failed' END,
      failure = ${failure}, finished_at = now(), seen_at = now()
    WHERE id = ${id} AND ${isOpen}
  `);
}

/** Ends what somebody had begun who was not heard of for so long; with the lock in hand, 0. What it had stored stays. */
export async function endDeadBackups(db: Db, silentMs: number): Promise<void> {
  await db.query(sql.type(nothing)`
    UPDATE backups SET state = CASE state WHEN 'stored' THEN 'stored' ELSE 'failed' END, failure = 'its process died', finished_at = now()
    WHERE ${isOpen} AND state <> 'queued' AND coalesce(seen_at, started_at) <= now() - ${silentMs}::float8 * interval '1 millisecond'
  `);
}

/** After a restore: what the snapshot shows as waiting or under way was so in another time. */
export async function endRestoredBackups(db: Db): Promise<void> {
  await db.query(sql.type(nothing)`
    UPDATE backups SET state = 'failed', finished_at = now(), failure = 'was under way when the backup was made from which this database comes'
    WHERE ${isOpen}
  `);
}

/** Whether a run of the schedule was begun and verified since then: its job may come twice. */
export function hasScheduledSince(db: Db, since: Date): Promise<boolean> {
  return db.oneFirst(sql.type(z.object({ exists: z.boolean() }))`
    SELECT EXISTS (SELECT FROM backups WHERE trigger = 'schedule' AND state = 'verified' AND started_at > ${since.toISOString()}) AS exists
  `);
}

/** The names of runs that left no whole backup: what still lies under them is a leftover. */
export function listFailedNames(db: Db): Promise<readonly string[]> {
  return db.anyFirst(sql.type(z.object({ name: z.string() }))`
    SELECT name FROM backups WHERE state IN ('failed', 'deleted')
  `);
}

/** When the schema last changed: as long as nothing was ever verified, the time since then counts. */
export function findLastMigrationTime(db: Db): Promise<number> {
  return db.oneFirst(sql.type(z.object({ at: time }))`SELECT max(applied_at) AS at FROM schema_migrations`);
}

export function countBackups(db: Db): Promise<readonly { state: BackupState; count: number }[]> {
  return db.any(sql.type(z.object({ state: backupStateSchema, count: int8 }))`
    SELECT state, count(*) AS count FROM backups GROUP BY state
  `);
}

// ── what the store says ──────────────────────────────────────────────────────────────────────────────────────────────

export interface StoredBackupFacts {
  /** Of its row, if it has none yet. */
  id: string;
  name: string;
  fault: string | null;
  storedBytes: number;
  snapshotAt: Date | null;
  rows: number | null;
  tables: number | null;
  isEncrypted: boolean | null;
  verifiedAt: Date | null;
  restoreMs: number | null;
}

/**
 * One that lies in the store. Whose run is under way is left alone; what a run has said of it stays, unless the store knows better. A run
 * without a snapshot has said nothing of it: it ended before it knew that it lies there, or was under way when the database was backed up.
 */
export async function saveStoredBackup(db: Db, facts: StoredBackupFacts): Promise<void> {
  const state: BackupState = facts.fault ? 'failed' : facts.verifiedAt ? 'verified' : 'stored';
  const snapshotAt = facts.snapshotAt?.toISOString() ?? null;
  const verifiedAt = facts.verifiedAt?.toISOString() ?? null;
  await db.query(sql.type(nothing)`
    INSERT INTO backups AS known (id, name, state, trigger, requested_by, snapshot_at, stored_bytes, row_count, table_count, is_encrypted,
      restore_ms, failure, created_at, verified_at, finished_at)
    VALUES (${facts.id}, ${facts.name}, ${state}, 'cli', 'found in the store', ${snapshotAt}, ${facts.storedBytes}, ${facts.rows}, ${facts.tables},
      ${facts.isEncrypted}, ${facts.restoreMs}, ${facts.fault}, coalesce(${snapshotAt}, now()), ${verifiedAt}, coalesce(${verifiedAt}, ${snapshotAt}, now()))
    ON CONFLICT (name) DO UPDATE SET state = excluded.state, snapshot_at = excluded.snapshot_at, stored_bytes = excluded.stored_bytes,
      row_count = excluded.row_count, table_count = excluded.table_count, is_encrypted = excluded.is_encrypted,
      restore_ms = coalesce(excluded.restore_ms, known.restore_ms), verified_at = excluded.verified_at,
      failure = excluded.failure, finished_at = coalesce(known.finished_at, excluded.finished_at)
    WHERE known.finished_at IS NOT NULL
      AND (excluded.state = 'verified' OR known.state IN ('verified', 'deleted') OR (known.state = 'failed' AND known.snapshot_at IS NULL))
      AND (known.state, known.verified_at) IS DISTINCT FROM (excluded.state, excluded.verified_at)
  `);
}

/** What was in the store and is there no more. */
export async function markGoneBackups(db: Db, stored: readonly string[]): Promise<void> {
  await db.query(sql.type(nothing)`
    UPDATE backups SET state = 'deleted' WHERE state IN ('stored', 'verified') AND finished_at IS NOT NULL
      AND name <> ALL (${sql.array([...stored], 'text')})
  `);
}
