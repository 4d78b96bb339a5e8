import { z } from 'zod';
import { type User, userSchema } from '../../domain/user.ts';
import { askFor, type Server } from '../api-client.ts';
import { CliError } from '../failures.ts';

const usersAnswer = z.object({ users: z.array(userSchema), nextCursor: z.string().nullable() });

export function listUsers(server: Server, query: Record<string, string | undefined>) {
  return askFor(server, { method: 'GET', path: '/v1/admin/users', as: 'admin', query }, usersAnswer);
}

/** The calls know accounts by their ids, people by their e-mails. */
export async function findUser(server: Server, email: string): Promise<User> {
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
