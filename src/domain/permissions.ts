import { ForbiddenError } from './errors.ts';
import { type Actor, type Role, roles } from './user.ts';

/** Who may do what: the only place where a role is decided upon. What is one's own needs no line here; `…-any` is everybody's. */
export const permissions = {
  'account:read': roles,
  'account:set-role': ['MANAGER'],
  'audit:read': ['MANAGER'],
  'bot:add': ['MANAGER'],
  'bot:read': roles,
  'bot:remove': ['MANAGER'],
  'bot:work-as': ['BOT'],
  'operations:read': ['MANAGER'],
  'order:cancel': roles,
  'order:cancel-any': ['MANAGER'],
  'order:checkout': roles,
  'order:choose-lane': ['MANAGER'],
  'order:place': ['NORMAL', 'VIP', 'MANAGER'],
  'order:read': roles,
  'order:read-any': ['MANAGER'],
  'order:refund': ['MANAGER'],
  'order:retry': ['MANAGER'],
} as const satisfies Record<string, readonly Role[]>;

export type Permission = keyof typeof permissions;

export function may(actor: Actor, permission: Permission): boolean {
  return (permissions[permission] as readonly Role[]).includes(actor.role);
}

export function assertMay(actor: Actor, permission: Permission): void {
  if (may(actor, permission)) return;
  const allowed = permissions[permission].map((role) => role.toLowerCase()).join(', ');
  throw new ForbiddenError(`Your role does not allow this; it is for: ${allowed}.`);
}
