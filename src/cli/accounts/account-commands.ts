import type { Command } from 'commander';
import { z } from 'zod';
import { userSchema } from '../../domain/user.ts';
import { askFor } from '../api-client.ts';
import { CliError } from '../failures.ts';
import { RefusedError } from '../problem.ts';
import { accounts, connect, connectAsNobody, examples, type GlobalOptions, wantsJson } from '../program-options.ts';
import { readPassword } from '../prompt.ts';
import { printable, type Terminal, writeJson, writeLine } from '../terminal.ts';
import { logIn, logOut, sessionFrom } from './auth-calls.ts';
import { addPasswdCommand } from './passwd-command.ts';
import { openSessions } from './session-file.ts';
import { keepSession, NotSignedInError } from './sign-in.ts';
import { warnWhereOpen } from './warn-where-open.ts';
import { whoIsMeant } from './who-is-meant.ts';

const meAnswer = z.object({ user: userSchema });

export function addAccountCommands(program: Command, terminal: Terminal): void {
  addLoginCommand(program, terminal);
  addLogoutCommand(program, terminal);
  addWhoamiCommand(program, terminal);
  addPasswdCommand(program, terminal);
}

function addLoginCommand(program: Command, terminal: Terminal): void {
  program
    .command('login')
    .description('sign in; the commands that follow speak as this account')
    .argument('<e-mail>', 'the account')
    .option('--password-stdin', 'read the password from stdin')
    .addHelpText(
      'after',
      '\nThe session is kept in twolane/sessions.json under $XDG_CONFIG_HOME (~/.config), or in TWOLANE_CONFIG_DIR; the password is not.\n' +
        examples(
          ['twolane login mara@shop.example', 'asks for the password'],
          ['twolane login mara@shop.example --password-stdin < password.txt', 'for a script'],
        ),
    )
    .action(async (email: string, options: { passwordStdin?: boolean }, command: Command) => {
      const server = await connectAsNobody(terminal, command);
      warnWhereOpen(terminal, server.url);
      const password = await readPassword(terminal, {
        fromStdin: options.passwordStdin === true,
        twice: false,
        question: `Password of ${printable(email)}: `,
      });
      const tokens = await logIn(server, email, password);
      await keepSession(openSessions(terminal.env), sessionFrom(server, tokens, false));
      if (wantsJson(command)) return writeJson(terminal.stdout, { user: tokens.user });
      const { user } = tokens;
      writeLine(terminal.stdout, `signed in as ${printable(user.email)} (${user.role}) at ${server.url.origin}`);
    });
}

function addLogoutCommand(program: Command, terminal: Terminal): void {
  program
    .command('logout')
    .description('sign out: here, and on the server')
    .argument('[e-mail]', 'the account (default: the one that is signed in)')
    .addHelpText('after', examples(['twolane logout', 'the session ends, its tokens are worth nothing']))
    .action(async (email: string | undefined, _: object, command: Command) => {
      const sessions = openSessions(terminal.env);
      const server = await connectAsNobody(terminal, command);
      const { as } = command.optsWithGlobals<GlobalOptions>();
      const user = email ?? as ?? (await whoIsMeant(sessions, server.url));
      const isMeant = (one: { server: string; email: string }) =>
        one.server === server.url.origin && one.email.toLowerCase() === user.toLowerCase();
      const session = (await sessions.read()).find(isMeant);
      if (session === undefined) throw new NotSignedInError(server, user, 'is not signed in');
      await sessions.change((all) => all.filter((one) => !isMeant(one)));
      try {
        await logOut(server, session.refreshToken);
      } catch (error) {
        if (!(error instanceof CliError)) throw error;
        const hasEndedBefore = error instanceof RefusedError && error.status === 401;
        if (!hasEndedBefore) throw stillAlive(error);
      }
      if (wantsJson(command)) return writeJson(terminal.stdout, { server: server.url.origin, email: session.email });
      writeLine(terminal.stdout, `signed out ${printable(session.email)} at ${server.url.origin}`);
    });
}

function stillAlive(error: CliError): CliError {
  const hints = ['signed out here, but the server does not know: there the session lives until it ends by itself'];
  return new CliError(error.message, [...hints, ...error.hints], error.exitCode, { cause: error });
}

function addWhoamiCommand(program: Command, terminal: Terminal): void {
  program
    .command('whoami')
    .description('show the account that commands speak as')
    .addHelpText(
      'after',
      examples(['twolane whoami', 'who is signed in'], ['twolane whoami --as vip@twolane.test', 'is that one known?']),
    )
    .action(async (_: object, command: Command) => {
      const server = await connect(terminal, command, accounts.normal);
      const { value, raw } = await askFor(server, { method: 'GET', path: '/v1/me' }, meAnswer);
      if (wantsJson(command)) return writeJson(terminal.stdout, raw);
      const { email, displayName, role } = value.user;
      writeLine(terminal.stdout, `${printable(email)}  ${printable(displayName)}  ${role}  at ${server.url.origin}`);
    });
}
