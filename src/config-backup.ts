import { z } from 'zod';
import { byCommas, count, cronTimes, oneOf } from './config-values.ts';

/** The environment names of backups; where they go is said by the stores. */
export const backupVariables = {
  BACKUP_CRON: z
    .literal('off', { error: 'takes off, or five fields: minute hour day month weekday, such as 30 2 * * *' })
    .or(cronTimes)
    .default('30 2 * * *'),
  // The first encrypts, all open.
  BACKUP_ENCRYPTION_KEY: byCommas
    .refine(
      (keys) => keys.length > 0 && keys.every((key) => /^AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}$/.test(key)),
      'takes keys such as `twolane backup key` makes, AGE-SECRET-KEY-1…, several by commas: the first encrypts, all open',
    )
    .optional(),
  BACKUP_COMPRESSION: oneOf('zstd', 'gzip').default('zstd'),
  BACKUP_KEEP_DAILY: count(1, 1_000).default(7),
  BACKUP_KEEP_WEEKLY: count(0, 1_000).default(4),
  BACKUP_KEEP_MONTHLY: count(0, 1_000).default(12),
  BACKUP_PACE: oneOf('gentle', 'full').default('gentle'),
  BACKUP_SCRATCH_DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: 'takes an address such as postgres://user:password@host:5432/postgres' })
    .optional(),
};
const backupEnvironment = z.object(backupVariables);

export interface BackupConfig {
  /** In UTC; null: only by hand. */
  cron: string | null;
  /** age identities: the first encrypts, all open; none: backups are not encrypted. */
  encryptionKeys: string[];
  compression: 'zstd' | 'gzip';
  keep: { daily: number; weekly: number; monthly: number };
  /** `gentle` rests most of the time, so that orders are not slowed down. */
  pace: 'gentle' | 'full';
  /** The server on which backups are restored to be compared; null for the engine's own. */
  scratchDatabaseUrl: string | null;
}

export function backupFrom(is: z.infer<typeof backupEnvironment>): BackupConfig {
  return Object.freeze({
    cron: is.BACKUP_CRON === 'off' ? null : is.BACKUP_CRON,
    encryptionKeys: is.BACKUP_ENCRYPTION_KEY ?? [],
    compression: is.BACKUP_COMPRESSION,
    keep: Object.freeze({
      daily: is.BACKUP_KEEP_DAILY,
      weekly: is.BACKUP_KEEP_WEEKLY,
      monthly: is.BACKUP_KEEP_MONTHLY,
    }),
    pace: is.BACKUP_PACE,
    scratchDatabaseUrl: is.BACKUP_SCRATCH_DATABASE_URL ?? null,
  });
}
