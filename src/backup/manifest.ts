import { createHash, createHmac, hkdfSync } from 'node:crypto';
import { z } from 'zod';
import { BackupDamagedError, BackupTooNewError } from './backup-errors.ts';

export const compressions = ['zstd', 'gzip'] as const;
export type Compression = (typeof compressions)[number];

export const formatVersion = 1;

const count = z.int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** The object itself goes on: zod would put its keys into another order. */
const named = z.custom<Named>(
  (is) =>
    z.looseObject({ formatVersion: z.int(), name: z.string(), sha256, seal: sha256.nullable() }).safeParse(is).success,
);
type Named = { formatVersion: number; name: string; sha256: string; seal: string | null };

export const businessSums = z.object({
  orders: z.array(z.object({ currency: z.string(), status: z.string(), count, totalMinor: z.string() })),
  payments: z.array(
    z.object({
      currency: z.string(),
      status: z.string(),
      count,
      amountMinor: z.string(),
      capturedMinor: z.string(),
      refundedMinor: z.string(),
    }),
  ),
  /** How many rows break a rule of the business: all 0, or the database itself was broken when it was backed up. */
  violations: z.record(z.string(), count),
});
/** Amounts are decimal texts, since sums may exceed what a JSON number holds exactly. */
export type BusinessSums = z.infer<typeof businessSums>;

export const backedUpTable = z.object({
  name: z.string(),
  columns: z.array(z.string()),
  rows: count,
  /** Of its CSV, all pieces one after the other. */
  bytes: count,
  sha256,
  pieces: count,
});
export type BackedUpTable = z.infer<typeof backedUpTable>;

const volume = z.object({ object: z.string(), bytes: count, sha256 });
export type Volume = z.infer<typeof volume>;

export const backupManifest = z.object({
  format: z.literal('twolane-backup'),
  formatVersion: z.int(),
  name: z.string(),
  snapshotAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  serverVersion: z.string(),
  /** As applied, in their order. */
  migrations: z.array(z.object({ name: z.string(), checksum: sha256 })),
  tables: z.array(backedUpTable),
  leftOut: z.array(z.object({ what: z.string(), why: z.string() })),
  business: businessSums,
  compression: z.enum(compressions),
  /** Null: not encrypted. The recipient is the public half of the key. */
  encryption: z.object({ method: z.literal('age'), recipient: z.string() }).nullable(),
  volumes: z.array(volume),
  totals: z.object({ tables: count, rows: count, csvBytes: count, storedBytes: count }),
  /** Of all above. */
  sha256,
  /** Only who has the key can make it, so nobody who can merely write to the store can put a backup of his own under our name. */
  seal: sha256.nullable(),
});
/** What lies in the store as `<name>/manifest.json`: written last, so what has none is no backup. */
export type BackupManifest = z.infer<typeof backupManifest>;

export const backupVerification = z.object({
  name: z.string(),
  verifiedAt: z.iso.datetime(),
  /** From the first byte read to the last index built, in the scratch database. */
  restoreMs: count,
  serverVersion: z.string(),
  tables: count,
  rows: count,
  /** SHA-256 of the manifest that it speaks of: of another one it says nothing. */
  manifestSha256: sha256,
});
/** What lies beside it as `verified.json`, once it was restored and compared. */
export type BackupVerification = z.infer<typeof backupVerification>;

/** As it is stored. */
export function sealManifest(facts: Omit<BackupManifest, 'sha256' | 'seal'>, key: string | null): BackupManifest {
  const sha256 = hashOf(facts);
  return { ...facts, sha256, seal: key === null ? null : sealOf(sha256, key) };
}

/** Throws `BackupDamagedError`, or `BackupTooNewError` for a format that this version does not know. */
export function parseManifest(name: string, text: string): BackupManifest {
  let manifest: Named;
  try {
    manifest = named.parse(JSON.parse(text));
  } catch (cause) {
    throw new BackupDamagedError(name, 'its manifest.json cannot be read', { cause });
  }
  const { sha256, seal, ...facts } = manifest;
  if (hashOf(facts) !== sha256)
    throw new BackupDamagedError(name, 'its manifest.json is not what was written (SHA-256 differs)');
  if (facts.name !== name) throw new BackupDamagedError(name, `its manifest.json is that of ${facts.name}`);
  if (facts.formatVersion > formatVersion)
    throw new BackupTooNewError(name, `its format is ${facts.formatVersion}, and this version knows ${formatVersion}`);
  const checked = backupManifest.safeParse(manifest);
  if (!checked.success)
    throw new BackupDamagedError(name, 'its manifest.json lacks what it should have', { cause: checked.error });
  return checked.data;
}

/** Before anything of an encrypted backup is believed. */
export function assertSealed({ name, sha256, seal }: BackupManifest, key: string): void {
  if (seal !== sealOf(sha256, key))
    throw new BackupDamagedError(name, 'its manifest.json was not written by somebody who has its key');
}

/** Keys of an object keep their order through JSON, so what was parsed gives the text that was written. */
const hashOf = (facts: object) => createHash('sha256').update(JSON.stringify(facts)).digest('hex');

const sealOf = (sha256: string, key: string) =>
  createHmac('sha256', Buffer.from(hkdfSync('sha256', key, '', 'twolane backup manifest', 32)))
    .update(sha256)
    .digest('hex');
