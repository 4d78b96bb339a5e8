import { z } from 'zod';
import { permissions } from '../domain/permissions.ts';
import { type Role, userSchema } from '../domain/user.ts';
import { askFor, type Server } from './api-client.ts';

const meAnswer = z.object({ user: userSchema });

/** The role of the account that this server is spoken to as. */
export async function readRole(server: Server): Promise<Role> {
  const { value } = await askFor(server, { method: 'GET', path: '/v1/me' }, meAnswer);
  return value.user.role;
}

export function mayChooseLane(role: Role): boolean {
  return permissions['order:choose-lane'].some((allowed) => allowed === role);
}
