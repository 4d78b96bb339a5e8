import type { Command } from 'commander';
import { examples } from '../program-options.ts';
import type { Terminal } from '../terminal.ts';
import { addDrillCommand } from './drill-command.ts';
import { addKeyCommand } from './key-command.ts';
import { addListCommand } from './list-command.ts';
import { addRestoreCommand } from './restore-command.ts';
import { addRunCommand } from './run-command.ts';
import { addVerifyCommand } from './verify-command.ts';

export function addBackupCommands(program: Command, terminal: Terminal): void {
  const backup = program
    .command('backup')
    .description('make, try and restore backups')
    .addHelpText(
      'after',
      examples(
        ['twolane backup run', 'one now, verified'],
        ['twolane backup list', 'which there are'],
        ['twolane backup restore --to postgres://user@host:5432/twolane', 'all of it, into an empty database'],
        ['twolane backup drill', 'how long would we be away?'],
      ),
    );
  addListCommand(backup, terminal);
  addRunCommand(backup, terminal);
  addVerifyCommand(backup, terminal);
  addRestoreCommand(backup, terminal);
  addDrillCommand(backup, terminal);
  addKeyCommand(backup, terminal);
}
