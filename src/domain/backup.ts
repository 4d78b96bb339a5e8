import { z } from 'zod';

export const backupStates = ['queued', 'running', 'stored', 'verified', 'failed', 'deleted'] as const;
export const backupStateSchema = z
  .enum(backupStates)
  .meta({ id: 'BackupState' })
  .describe(
    '`stored`: it lies there whole, and has not been restored to try it. `deleted`: retention has taken it away',
  );
export type BackupState = z.infer<typeof backupStateSchema>;

/** What counts what: a phase is shown with the unit that it goes by. */
export const unitOfPhase = {
  snapshot: 'tables',
  upload: 'rows',
  read_back: 'bytes',
  restore: 'bytes',
  compare: 'bytes',
  retention: 'backups',
} as const;
export type BackupPhase = keyof typeof unitOfPhase;
export type BackupUnit = (typeof unitOfPhase)[BackupPhase];
export const backupPhaseSchema = z.enum(Object.keys(unitOfPhase) as [BackupPhase, ...BackupPhase[]]); // has one at least

export const backupTriggers = ['schedule', 'api', 'cli'] as const;
export const backupTriggerSchema = z.enum(backupTriggers);
export type BackupTrigger = z.infer<typeof backupTriggerSchema>;

const moment = z.iso.datetime().nullable();
const count = z.int().nullable();

export const backupSchema = z
  .object({
    id: z.uuid(),
    name: z.string().describe('Its folder in the store'),
    state: backupStateSchema,
    phase: backupPhaseSchema.nullable().describe('What it is at; of one that failed, where'),
    progress: z
      .object({ done: z.int(), total: z.int(), unit: z.enum(Object.values(unitOfPhase)) })
      .nullable()
      .describe('How far the phase is. Null when nothing is under way; a total of 0 is not known yet'),
    trigger: backupTriggerSchema,
    requestedBy: z.string(),
    createdAt: z.iso.datetime(),
    startedAt: moment,
    snapshotAt: moment.describe('What was committed until then is in it'),
    verifiedAt: moment.describe('When it had been restored and compared'),
    finishedAt: moment,
    storedBytes: count,
    rows: count,
    tables: count,
    encrypted: z.boolean().nullable(),
    backupMs: count.describe('How long the snapshot and its upload took'),
    restoreMs: count.describe('How long it took to restore it'),
    failure: z.string().nullable(),
  })
  .meta({ id: 'Backup', description: 'One run of a backup, and what came of it.' });
export type Backup = z.infer<typeof backupSchema>;

export const backupListSchema = z.object({
  backups: z.array(backupSchema).describe('Newest first; the last 200'),
  lastVerified: backupSchema.nullable().describe('The newest that was restored to try it, and is still in the store'),
  schedule: z.object({
    cron: z.string().nullable().describe('In UTC; null: only by hand'),
    nextAt: moment,
  }),
  keep: z.object({ daily: z.int(), weekly: z.int(), monthly: z.int() }),
  store: z.string().nullable().describe('Where they lie; null: no store is set up'),
  encrypted: z.boolean().describe('Whether the next one will be'),
});
export type BackupList = z.infer<typeof backupListSchema>;
