import type { Command } from 'commander';
import { callApi } from '../api-client.ts';
import { CliError } from '../failures.ts';
import { RefusedError } from '../problem.ts';
import { connectAsNobody, examples, type GlobalOptions, wantsJson } from '../program-options.ts';
import { readPasswordChange } from '../prompt.ts';
import { printable, type Terminal, writeJson, writeLine } from '../terminal.ts';
import { openSessions } from './session-file.ts';
import { warnWhereOpen } from './warn-where-open.ts';
import { whoIsMeant } from './who-is-meant.ts';

export function addPasswdCommand(program: Command, terminal: Terminal): void {
  program
    .command('passwd')
    .description('change your password; you stay signed in here, and are signed out everywhere else')
    .option('--password-stdin', 'read two lines from stdin: the current password, then the new one')
    .addHelpText(
      'after',
      examples(
        ['twolane passwd', 'asks for the current password, and twice for the new one'],
        ['twolane passwd --as mara@shop.example', 'where several accounts are signed in'],
      ),
    )
    .action(async ({ passwordStdin = false }: { passwordStdin?: boolean }, command: Command) => {
      const nobody = await connectAsNobody(terminal, command);
      const { as } = command.optsWithGlobals<GlobalOptions>();
      const user = as ?? (await whoIsMeant(openSessions(terminal.env), nobody.url)); // never a sample account unasked
      const server = { ...nobody, user };
      await server.tokens.current(server, user); // who is not signed in is told so before being asked
      warnWhereOpen(terminal, server.url);
      const body = await readPasswordChange(terminal, { fromStdin: passwordStdin, of: printable(user) });
      try {
        await callApi(server, {
          method: 'POST',
          path: '/v1/me/password',
          body,
          whenLost: `it may have been changed: try \`twolane login ${user}\` with the new one`,
        });
      } catch (error) {
        throw isWrongPassword(error) ? wrongPassword(user, error) : error;
      }
      if (wantsJson(command)) return writeJson(terminal.stdout, { server: server.url.origin, email: user });
      writeLine(terminal.stdout, `${printable(user)} has a new password; all other sessions have ended`);
    });
}

/** Every role may change its own password, so this is all that `forbidden` can mean here. */
const isWrongPassword = (error: unknown) => error instanceof RefusedError && error.code === 'forbidden';

const wrongPassword = (user: string, cause: unknown) =>
  new CliError(
    'this is not the current password; nothing was changed',
    [`who has forgotten it asks the admin: \`twolane users password ${user}\``],
    undefined,
    { cause },
  );
