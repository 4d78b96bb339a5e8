import type { Command } from 'commander';
import { verifyBackup } from '../../operations/verify-backup.ts';
import { durationText } from '../duration.ts';
import { BadUsageError } from '../failures.ts';
import { examples, wantsJson } from '../program-options.ts';
import { paint, type Terminal, writeJson, writeLine } from '../terminal.ts';
import { toldInWords } from './backup-failures.ts';
import { demoHint, isMissingDatabase, openBackupStore, readSettings } from './backup-settings.ts';
import { pickToVerify } from './pick-backup.ts';
import { showProgress } from './show-progress.ts';

export function addVerifyCommand(backup: Command, terminal: Terminal): void {
  backup
    .command('verify')
    .description('read a backup back, restore it into a scratch database, compare every table')
    .argument('[name]', 'which one, or latest: the last, tried before or not', 'latest')
    .option(
      '--scratch <url>',
      'the server of the scratch database (default: BACKUP_SCRATCH_DATABASE_URL, else DATABASE_URL)',
    )
    .addHelpText(
      'after',
      `\nIts user needs CREATEDB there. The scratch database is dropped afterwards; nothing else is touched.${examples(
        ['twolane backup verify', 'the last one'],
        ['twolane backup verify latest --scratch postgres://postgres@localhost/postgres', 'on another server'],
      )}`,
    )
    .action(async (name: string, { scratch }: { scratch?: string }, command: Command) => {
      const config = await settingsFor(terminal, scratch);
      const { databaseUrl, backup: settings } = config;
      const scratchUrl = scratch ?? settings.scratchDatabaseUrl;
      const store = openBackupStore(config);
      const json = wantsJson(command);
      const progress = showProgress(json ? terminal.stderr : terminal.stdout);
      const done = await toldInWords(terminal, async () => {
        const { name: picked } = await pickToVerify(store, name);
        const call = { name: picked, signal: terminal.signal, onProgress: progress.show };
        const verified = await verifyBackup({ store, keys: settings.encryptionKeys, databaseUrl, scratchUrl }, call);
        progress.end();
        return verified;
      }).finally(() => {
        progress.close();
        store.close();
      });
      if (json) return writeJson(terminal.stdout, done);
      const rows = done.rows.toLocaleString('en');
      writeLine(
        terminal.stdout,
        `${paint(terminal.stdout, 'green', 'verified')} ${done.name}: ${rows} rows in ${done.tables} tables, restored in ${durationText(done.restoreMs)}`,
      );
    });
}

async function settingsFor(terminal: Terminal, scratch: string | undefined) {
  const config = await readSettings(terminal, scratch ?? null);
  if (scratch !== undefined || config.backup.scratchDatabaseUrl !== null) return config;
  return await readSettings(terminal).catch((error: unknown) => {
    if (error instanceof BadUsageError && error.hints.some(isMissingDatabase))
      throw new BadUsageError('no server is named on which the backup can be tried', [
        'name one with --scratch postgres://user@host:5432/postgres, BACKUP_SCRATCH_DATABASE_URL or DATABASE_URL',
        ...error.hints.filter((hint) => hint === demoHint),
      ]);
    throw error;
  });
}
