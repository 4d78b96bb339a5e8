import { randomBytes } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { type Role, roleSchema, roles, type User, userSchema } from '../../domain/user.ts';
import { askFor, type Server } from '../api-client.ts';
import { BadUsageError, CliError } from '../failures.ts';
import { connectAsNobody, examples, needsAdmin, parseCount, wantsJson } from '../program-options.ts';
import { readPassword } from '../prompt.ts';
import { printable, type Terminal, writeJson, writeLine, writeTable } from '../terminal.ts';

const userAnswer = z.object({ user: userSchema });
const usersAnswer = z.object({ users: z.array(userSchema), nextCursor: z.string().nullable() });

interface AddOptions {
  name: string;
  role: Role;
  passwordStdin?: boolean;
  generate?: boolean;
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
    .description('add accounts, list them, and give them roles')
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
}

function addAddCommand(users: Command, terminal: Terminal): void {
  users
    .command('add')
    .description('add an account')
    .argument('<e-mail>', 'what they sign in with')
    .requiredOption('--name <name>', 'the name to show')
    .requiredOption('--role <role>', roles.join(', '), parseRole)
    .option('--password-stdin', 'read the password from stdin (default: asks for it)')
    .option('--generate', 'make a password, and show it this once')
    .addHelpText(
      'after',
      needsAdmin +
        examples(
          ['twolane users add mara@shop.example --name Mara --role MANAGER', 'asks twice for the password'],
          ['twolane users add till@shop.example --name Till --role BOT --generate', 'and shows it'],
        ),
    )
    .action(async (email: string, options: AddOptions, command: Command) => {
      if (options.generate && options.passwordStdin) {
        throw new BadUsageError('--generate and --password-stdin exclude each other');
      }
      const server = await connectAsNobody(terminal, command);
      const password = options.generate
        ? randomBytes(18).toString('base64url')
        : await readPassword(terminal, { fromStdin: options.passwordStdin === true, twice: true });
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
      const shown = options.generate ? { password } : {};
      if (wantsJson(command)) return writeJson(terminal.stdout, { ...(raw as object), ...shown }); // an object: the schema saw it
      writeLine(terminal.stdout, `${printable(value.user.email)} added as ${value.user.role}`);
      if (options.generate) writeLine(terminal.stdout, `password, shown only now: ${password}`);
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

/** The calls know accounts by their ids, people by their e-mails. */
async function findUser(server: Server, email: string): Promise<User> {
  let cursor: string | undefined;
  do {
    const { value } = await listUsers(server, { q: email, cursor });
    const found = value.users.find((user) => user.email.toLowerCase() === email.toLowerCase());
    if (found) return found;
    cursor = value.nextCursor ?? undefined;
  } while (cursor !== undefined);
  throw new CliError(`there is no account ${email} at ${server.url.origin}`, [
    '`twolane users list` shows those that are there',
  ]);
}

function listUsers(server: Server, query: Record<string, string | undefined>) {
  return askFor(server, { method: 'GET', path: '/v1/admin/users', as: 'admin', query }, usersAnswer);
}

function parseRole(text: string): Role {
  const role = roleSchema.safeParse(text.toUpperCase());
  if (!role.success) throw new InvalidArgumentError(`One of ${roles.join(', ')}.`);
  return role.data;
}
