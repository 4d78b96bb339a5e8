import { createHash } from 'node:crypto';
import type { BackupContents } from '../backup/backup-contents.ts';
import type { BackupCall, BackupDeps } from '../backup/backup-deps.ts';
import { BackupDamagedError } from '../backup/backup-errors.ts';
import type { BackupManifest, BackupVerification } from '../backup/manifest.ts';
import { type Pacer, paced } from '../backup/pacer.ts';
import { type PhaseProgress, startPhase } from '../backup/progress.ts';
import { verificationKey } from '../backup/stored-backups.ts';
import { type BackupSession, openBackupSession } from '../db/backup-session.ts';
import { readBusinessSums } from '../db/business-sums.ts';
import { copyOut } from '../db/copy-tables.ts';
import { openScratchDatabase, type ScratchDatabase, scratchFault } from '../db/scratch-database.ts';
import { ourSchema, readSequences } from '../db/table-catalogue.ts';
import { loadBackup } from './restore-backup.ts';

type VerifyDeps = Pick<BackupDeps, 'store' | 'keys' | 'databaseUrl' | 'scratchUrl'>;

/**
 * Restores it into a scratch database, which reads and checks every byte of it on the way; then takes each table out again and compares,
 * and asks whether the business still adds up. Only then is it called verified, in `verified.json` beside it.
 */
export async function verifyBackup(deps: VerifyDeps, call: BackupCall): Promise<BackupVerification> {
  const { name, signal } = call;
  signal?.throwIfAborted();
  const scratch = await openScratchDatabase(deps.scratchUrl ?? deps.databaseUrl);
  try {
    const { manifest, contents, restoreMs } = await loadBackup(deps, {
      ...call,
      targetUrl: scratch.url,
      schema: ourSchema,
      isForAMoment: true,
    });
    const serverVersion = await compare(scratch, manifest, contents, call);
    const verification: BackupVerification = {
      name,
      verifiedAt: new Date().toISOString(),
      restoreMs,
      serverVersion,
      tables: manifest.totals.tables,
      rows: manifest.totals.rows,
      manifestSha256: manifest.sha256,
    };
    await deps.store.put(verificationKey(name), Buffer.from(JSON.stringify(verification, null, 2)), {
      contentType: 'application/json',
      ...(signal && { signal }),
    });
    return verification;
  } catch (error) {
    throw signal?.aborted ? signal.reason : (scratchFault(error) ?? error);
  } finally {
    await scratch.drop().catch(() => {}); // the outcome is known; the next run clears away what is left
  }
}

async function compare(
  scratch: ScratchDatabase,
  manifest: BackupManifest,
  contents: BackupContents,
  call: BackupCall,
): Promise<string> {
  const session = await openBackupSession(scratch.url, { schema: ourSchema, signal: call.signal });
  try {
    const comparing = startPhase(call, 'compare', manifest.totals.csvBytes, 'bytes');
    for (const table of manifest.tables) await compareTable(session, manifest, table, { comparing, pacer: call.pacer });
    const differing = (what: string) => new BackupDamagedError(manifest.name, `after its restore ${what}`);
    const sequences = await readSequences(session.client);
    for (const { name, lastValue, isCalled } of contents.sequences) {
      const found = sequences.find((sequence) => sequence.name === name);
      if (found?.lastValue !== lastValue || found.isCalled !== isCalled) throw differing(`sequence ${name} differs`);
    }
    const sums = await readBusinessSums(session.client);
    for (const [what, expected] of Object.entries(manifest.business)) {
      const found = JSON.stringify(sums[what as keyof typeof sums]);
      if (found !== JSON.stringify(expected)) throw differing(`its ${what} come to ${found}, which differs`);
    }
    comparing.end();
    const { rows } = await session.client.query<{ version: string }>(
      `SELECT current_setting('server_version') AS version`,
    );
    return rows[0]?.version ?? '';
  } catch (error) {
    throw session.lostBy() ?? error;
  } finally {
    await session.close();
  }
}

async function compareTable(
  { client }: BackupSession,
  { name }: BackupManifest,
  table: BackupManifest['tables'][number],
  { comparing, pacer }: { comparing: PhaseProgress; pacer: Pacer | undefined },
): Promise<void> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of paced(pacer, copyOut(client, table) as AsyncIterable<Buffer>)) {
    hash.update(chunk);
    bytes += chunk.length;
    comparing.add(chunk.length);
  }
  if (hash.digest('hex') !== table.sha256)
    throw new BackupDamagedError(
      name,
      `after its restore table ${table.name} gives ${bytes} bytes, or other ones, instead of the ${table.bytes} that were stored`,
    );
}
