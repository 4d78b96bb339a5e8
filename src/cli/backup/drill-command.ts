import type { Command } from 'commander';
import type { Backup } from '../../domain/backup.ts';
import { durationText } from '../duration.ts';
import { CliError } from '../failures.ts';
import { examples, wantsJson } from '../program-options.ts';
import { type Terminal, writeJson, writeLine, writeTable } from '../terminal.ts';
import { bytesText } from './backup-text.ts';
import { runHere } from './run-here.ts';
import { showProgress } from './show-progress.ts';

export function addDrillCommand(backup: Command, terminal: Terminal): void {
  backup
    .command('drill')
    .description('the whole way there and back: make a backup, restore it beside, compare, and say how long each took')
    .addHelpText(
      'after',
      `\nSettings come from the environment and .env. Asks nothing of the database but CREATEDB; the engine may run meanwhile.${examples(
        ['twolane backup drill', 'how long would we be away?'],
      )}`,
    )
    .action(async (_options: object, command: Command) => {
      const json = wantsJson(command);
      const progress = showProgress(json ? terminal.stderr : terminal.stdout);
      const startedAt = performance.now();
      const done = await runHere(terminal, progress).finally(() => progress.close());
      const totalMs = Math.round(performance.now() - startedAt);
      if (done.state !== 'verified') throw new CliError(`the drill failed: ${done.failure ?? done.state}`);
      if (json) return writeJson(terminal.stdout, { backup: done, totalMs });
      writeReport(terminal, done, totalMs);
    });
}

function writeReport(
  { stdout }: Terminal,
  { name, rows, tables, storedBytes, backupMs, restoreMs }: Backup,
  totalMs: number,
): void {
  const perSecond = (ms: number | null) => (ms && rows ? Math.round((rows * 1_000) / ms).toLocaleString('en') : '');
  writeLine(stdout);
  writeTable(
    stdout,
    ['WHAT', 'TOOK', 'ROWS/S'],
    [
      ['snapshot and upload', durationText(backupMs ?? 0), perSecond(backupMs)],
      ['restore', durationText(restoreMs ?? 0), perSecond(restoreMs)],
      ['all, with reading back and comparing', durationText(totalMs), ''],
    ],
  );
  writeLine(stdout);
  writeLine(
    stdout,
    `${name}: ${(rows ?? 0).toLocaleString('en')} rows in ${tables} tables, ${bytesText(storedBytes ?? 0)}; what was restored equals what was there`,
  );
}
