import { assertSchemaCurrent } from '../../db/migrations.ts';
import { openDatabase } from '../../db/pool.ts';
import { assertReachable } from '../../db/reachable.ts';
import type { Backup } from '../../domain/backup.ts';
import { createLog } from '../../log.ts';
import { backupRunDepsOf } from '../../operations/backup-deps.ts';
import { BackupInterruptedError, runBackup } from '../../operations/run-backup.ts';
import { CliError, InterruptedError } from '../failures.ts';
import type { Terminal } from '../terminal.ts';
import { toldInWords } from './backup-failures.ts';
import { openBackupStore, readSettings } from './backup-settings.ts';
import type { ProgressDisplay } from './show-progress.ts';

/** Makes and verifies a backup in this process, with the lock and the row of every other one. */
export async function runHere(terminal: Terminal, progress: ProgressDisplay): Promise<Backup> {
  const config = await readSettings(terminal);
  const { databaseUrl, backup: settings } = config;
  const store = openBackupStore(config);
  try {
    return await toldInWords(terminal, async () => {
      await assertReachable(databaseUrl);
      const log = createLog('silent', 'backup');
      const database = await openDatabase(databaseUrl, log, { name: 'backup', poolSize: 3 });
      try {
        await assertSchemaCurrent(database.pool);
        const sources = { databaseUrl, pool: database.pool, store, settings, log };
        const deps = { ...backupRunDepsOf(sources), pace: 'full' as const }; // somebody waits for it
        const done = await runBackup(deps, {
          backupId: null,
          trigger: 'cli',
          requestedBy: 'twolane backup',
          signal: terminal.signal,
          onProgress: progress.show,
        });
        if (!done)
          throw new CliError('another backup is under way', ['wait for it, or follow it with `twolane backup run`']);
        progress.end();
        return done;
      } catch (error) {
        if (error instanceof BackupInterruptedError) throw new InterruptedError();
        throw error;
      } finally {
        await database.close();
      }
    });
  } finally {
    store.close();
  }
}
