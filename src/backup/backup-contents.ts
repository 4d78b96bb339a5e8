import { z } from 'zod';

/**
 * What comes first in the tar, as `contents.json`: all that a restore has to know before the first row. Its statements name no schema:
 * the search path says where they go.
 */
export const backupContents = z.object({
  /** Of the backup: volumes that were moved into another folder are found out. */
  name: z.string(),
  snapshotAt: z.iso.datetime(),
  migrations: z.array(z.object({ name: z.string(), checksum: z.string(), text: z.string() })),
  /** What no migration makes, after all of them; then what is in the way of loading. */
  before: z.array(z.string()),
  tables: z.array(z.object({ name: z.string(), columns: z.array(z.string()) })),
  /** Indexes and foreign keys, once the rows are there. */
  after: z.array(z.string()),
  sequences: z.array(z.object({ name: z.string(), lastValue: z.string(), isCalled: z.boolean() })),
});
export type BackupContents = z.infer<typeof backupContents>;

export const readmePath = 'README.txt';
export const contentsPath = 'contents.json';
export const scriptPath = 'restore.sql';
export const piecePath = (table: string, number: number): string =>
  `tables/${table}/${String(number).padStart(6, '0')}.csv`;
