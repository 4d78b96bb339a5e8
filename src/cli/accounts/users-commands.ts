import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { type Role, roleSchema, roles, userSchema } from '../../domain/user.ts';
import { askFor, callApi } from '../api-client.ts';
import { BadUsageError, CliError } from '../failures.ts';
import { connectAsNobody, examples, needsAdmin, parseCount, wantsJson } from '../program-options.ts';
import { confirm } from '../prompt.ts';
import { printable, type Terminal, writeJson, writeLine, writeTable } from '../terminal.ts';
import { chooseNewPassword, type NewPasswordOptions, showPassword, takeNewPassword } from './new-password.ts';
import { findUser, listUsers } from './users-calls.ts';

const userAnswer = z.object({ user: userSchema });

interface AddOptions extends NewPasswordOptions {
  name: string;
  role: Role;
}

interface ListOptions {
  role?: Role;
  search?: string;
  limit?: number;
  cursor?: string;
}

export function addUsersCommands(program: Command, terminal: Terminal): void {
  const users = program
    .command('users')
    .description('add accounts, list them, give them roles and passwords, and close them')
    .addHelpText(
      'after',
      needsAdmin +
        examples(
          ['twolane users add mara@shop.example --name Mara --role MANAGER', 'the first manager of a new system'],
          ['twolane users list', 'all accounts'],
        ),
    );
  addAddCommand(users, terminal);
  addListCommand(users, terminal);
  addRoleCommand(users, terminal);
  addPasswordCommand(users, terminal);
  addRemoveCommand(users, terminal);
}

function addAddCommand(users: Command, terminal: Terminal): void {
  const add = users
    .command('add')
    .description('add an account')
    .argument('<e-mail>', 'what they sign in with')
    .requiredOption('--name <name>', 'the name to show')
    .requiredOption('--role <role>', roles.join(', '), parseRole);
  takeNewPassword(add)
    .addHelpText(
      'after',
      needsAdmin +
        examples(
          ['twolane users add mara@shop.example --name Mara --role MANAGER', 'asks twice for the password'],
          ['twolane users add till@shop.example --name Till --role MANAGER --generate', 'and shows it'],
        ),
    )
    .action(async (email: string, options: AddOptions, command: Command) => {
      const server = await connectAsNobody(terminal, command);
      const { password, shown } = await chooseNewPassword(terminal, options);
      const { value, raw } = await askFor(
        server,
        {
          method: 'POST',
          path: '/v1/admin/users',
          as: 'admin',
          body: { email, displayName: options.name, role: options.role, password },
          whenLost: `it may have been added: look with \`twolane users list --search ${email}\``,
        },
        userAnswer,
      );
      if (wantsJson(command)) return writeJson(terminal.stdout, { ...(raw as object), ...shown }); // an object: the schema saw it
      writeLine(terminal.stdout, `${printable(value.user.email)} added as ${value.user.role}`);
      showPassword(terminal, shown);
    });
}

function addListCommand(users: Command, terminal: Terminal): void {
  users
    .command('list')
    .description('list the accounts')
    .option('--role <role>', 'only these', parseRole)
    .option('--search <text>', 'a part of the e-mail or the name')
    .option('--limit <count>', 'how many at most', parseCount)
    .option('--cursor <cursor>', 'go on where the last list ended')
    .addHelpText(
      'after',
      needsAdmin +
        examples(
          ['twolane users list --role MANAGER', 'who may do everything'],
          ['twolane users list --json', 'for a script'],
        ),
    )
    .action(async ({ role, search, limit, cursor }: ListOptions, command: Command) => {
      const server = await connectAsNobody(terminal, command);
      const { value, raw } = await listUsers(server, { role, q: search, limit: limit?.toString(), cursor });
      if (wantsJson(command)) return writeJson(terminal.stdout, raw);
      if (value.users.length === 0) return writeLine(terminal.stdout, 'no such accounts');
      writeTable(
        terminal.stdout,
        ['E-MAIL', 'NAME', 'ROLE', 'SINCE'],
        value.users.map((user) => [
          printable(user.email),
          printable(user.displayName),
          user.role,
          user.createdAt.slice(0, 10),
        ]),
      );
      if (value.nextCursor !== null) writeLine(terminal.stdout, `\nmore: --cursor ${value.nextCursor}`);
    });
}

function addRoleCommand(users: Command, terminal: Terminal): void {
  users
    .command('role')
    .description('give an account another role; it holds at once, signed in or not')
    .argument('<e-mail>', 'the account')
    .argument('<role>', roles.join(', '), parseRole)
    .addHelpText(
      'after',
      needsAdmin + examples(['twolane users role nora@shop.example VIP', 'her orders go first from now on']),
    )
    .action(async (email: string, role: Role, _: object, command: Command) => {
      const server = await connectAsNobody(terminal, command);
      const before = await findUser(server, email);
      const { value, raw } = await askFor(
        server,
        { method: 'PATCH', path: `/v1/admin/users/${before.id}`, as: 'admin', isRepeatable: true, body: { role } },
        userAnswer,
      );
      if (wantsJson(command)) return writeJson(terminal.stdout, raw);
      const was = before.role === role ? 'was already' : `was ${before.role}`;
      writeLine(terminal.stdout, `${printable(value.user.email)} is ${value.user.role} (${was})`);
    });
}

function addPasswordCommand(users: Command, terminal: Terminal): void {
  const password = users
    .command('password')
    .description('give an account a new password; it is signed out everywhere')
    .argument('<e-mail>', 'the account');
  takeNewPassword(password)
    .addHelpText(
      'after',
      needsAdmin +
        examples(
          ['twolane users password nora@shop.example', 'asks twice for it'],
          ['twolane users password nora@shop.example --generate', 'makes one, and shows it'],
        ),
    )
    .action(async (email: string, options: NewPasswordOptions, command: Command) => {
      const server = await connectAsNobody(terminal, command);
      const user = await findUser(server, email);
      const question = `New password of ${printable(user.email)}: `;
      const chosen = await chooseNewPassword(terminal, options, question);
      await callApi(server, {
        method: 'PUT',
        path: `/v1/admin/users/${user.id}/password`,
        as: 'admin',
        isRepeatable: true,
        body: { password: chosen.password },
      });
      if (wantsJson(command)) return writeJson(terminal.stdout, { user, ...chosen.shown });
      writeLine(terminal.stdout, `${printable(user.email)} has a new password, and is signed out everywhere`);
      showPassword(terminal, chosen.shown);
    });
}

function addRemoveCommand(users: Command, terminal: Terminal): void {
  users
    .command('remove')
    .description('close an account for good: it is signed out everywhere, and its orders stay')
    .argument('<e-mail>', 'the account')
    .option('--yes', 'do not ask first')
    .addHelpText(
      'after',
      needsAdmin +
        examples(
          ['twolane users remove nora@shop.example', 'asks first'],
          ['twolane users remove nora@shop.example --yes', 'for a script'],
        ),
    )
    .action(async (email: string, { yes = false }: { yes?: boolean }, command: Command) => {
      const isAsked = !yes && !wantsJson(command) && terminal.stdin.isTTY === true;
      if (!yes && !isAsked) throw new BadUsageError('nobody is there to be asked first', ['say --yes']);
      const server = await connectAsNobody(terminal, command);
      const user = await findUser(server, email);
      const question = `Close the account ${printable(user.email)} (${user.role}) for good?`;
      if (isAsked && !(await confirm(terminal, question))) throw new CliError(`${user.email} stays as it was`);
      await callApi(server, {
        method: 'DELETE',
        path: `/v1/admin/users/${user.id}`,
        as: 'admin',
        whenLost: `it may be closed: look with \`twolane users list --search ${user.email}\``,
      });
      if (wantsJson(command)) return writeJson(terminal.stdout, { user });
      writeLine(terminal.stdout, `${printable(user.email)} is closed (was ${user.role})`);
    });
}

function parseRole(text: string): Role {
  const role = roleSchema.safeParse(text.toUpperCase());
  if (!role.success) throw new InvalidArgumentError(`One of ${roles.join(', ')}.`);
  return role.data;
}
