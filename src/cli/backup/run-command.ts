import type { Command } from 'commander';
import type { Backup } from '../../domain/backup.ts';
import { durationText } from '../duration.ts';
import { CliError, exitCodes, UnreachableError } from '../failures.ts';
import { connectAsNobody, examples, needsAdmin, wantsJson } from '../program-options.ts';
import { type Output, paint, type Terminal, writeJson, writeLine } from '../terminal.ts';
import { bytesText } from './backup-text.ts';
import { followRun } from './follow-run.ts';
import { runHere } from './run-here.ts';
import { type ProgressDisplay, showProgress } from './show-progress.ts';

export function addRunCommand(backup: Command, terminal: Terminal): void {
  backup
    .command('run')
    .description('make a backup now and verify it: by a worker of the engine, or here')
    .option('--here', 'in this process, with the settings of the environment and .env; the engine need not run')
    .addHelpText(
      'after',
      `\nFollows it to the end; Ctrl-C ends the following, and with --here the backup.${needsAdmin}${examples(
        ['twolane backup run', 'before something risky'],
        ['twolane backup run --here', 'from a cron of your own'],
      )}`,
    )
    .action(async ({ here = false }: { here?: boolean }, command: Command) => {
      const json = wantsJson(command);
      const talk = json ? terminal.stderr : terminal.stdout;
      const progress = showProgress(talk);
      const { backup: done, raw } = await (here
        ? runHere(terminal, progress).then((backup) => ({ backup, raw: { backup } }))
        : followWorker(terminal, command, talk, progress)
      ).finally(() => progress.close());
      if (json) writeJson(terminal.stdout, raw);
      if (done.state !== 'verified')
        throw new CliError(
          `backup ${done.name} failed: ${done.failure ?? done.state}`,
          hintsFor(done),
          exitCodes.failed,
        );
      if (!json) writeLine(terminal.stdout, doneText(terminal.stdout, done));
    });
}

async function followWorker(terminal: Terminal, command: Command, talk: Output, progress: ProgressDisplay) {
  const server = await connectAsNobody(terminal, command);
  try {
    return await followRun(server, progress, ({ name, state }) => {
      if (state === 'queued') writeLine(talk, `backup ${name} waits for a worker`);
      else writeLine(talk, `backup ${name} is under way already`);
    });
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    const hints = [...error.hints, 'or without the engine, its database alone: `twolane backup run --here`'];
    throw new CliError(error.message, hints, error.exitCode, { cause: error });
  }
}

const hintsFor = ({ state }: Backup) =>
  state === 'stored'
    ? ['it lies in the store, and was not tried: `twolane backup verify NAME`']
    : ['a worker tries again by itself; /readyz and /admin/backups say how it goes'];

export function doneText(output: Output, { name, rows, storedBytes, encrypted, backupMs, restoreMs }: Backup): string {
  const facts = [
    `${(rows ?? 0).toLocaleString('en')} rows`,
    `${bytesText(storedBytes ?? 0)}${encrypted ? ' encrypted' : ''}`,
    `made in ${durationText(backupMs ?? 0)}`,
    `restored in ${durationText(restoreMs ?? 0)}`,
  ];
  return `${paint(output, 'green', 'verified')} ${name}: ${facts.join(', ')}`;
}
