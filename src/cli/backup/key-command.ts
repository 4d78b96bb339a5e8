import { generateIdentity, identityToRecipient } from 'age-encryption';
import type { Command } from 'commander';
import { examples, wantsJson } from '../program-options.ts';
import { type Terminal, writeJson, writeLine } from '../terminal.ts';

export function addKeyCommand(backup: Command, terminal: Terminal): void {
  backup
    .command('key')
    .description('make a new key for the encryption of backups')
    .addHelpText(
      'after',
      `\nNothing is stored. Without the key an encrypted backup is lost: keep it where the backups are not.${examples(
        ['twolane backup key', 'the line for .env, and the public half'],
        ['twolane backup key --json', 'for a program'],
      )}`,
    )
    .action(async (_options: object, command: Command) => {
      const identity = await generateIdentity();
      const recipient = await identityToRecipient(identity);
      if (wantsJson(command)) return writeJson(terminal.stdout, { identity, recipient });
      const { stdout } = terminal;
      writeLine(stdout, `BACKUP_ENCRYPTION_KEY=${identity}`);
      writeLine(stdout, `# public half: ${recipient}`);
      writeLine(terminal.stderr);
      writeLine(terminal.stderr, 'Put the first line into the settings of every process with the role `backup`, and');
      writeLine(
        terminal.stderr,
        'a copy where neither the engine nor its backups are. To change keys, put the new one',
      );
      writeLine(terminal.stderr, 'in front: NEW,OLD. The first encrypts, all open.');
    });
}
