import { z } from 'zod';
import type { Lane } from './lane.ts';
import { textSchema } from './text.ts';

export const roles = ['NORMAL', 'VIP', 'MANAGER', 'BOT'] as const;
export const roleSchema = z.enum(roles).meta({ id: 'Role', description: 'What an account may do.' });
export type Role = z.infer<typeof roleSchema>;

/** As typed, of a form that mail servers take; accounts are told apart without case. */
export const emailSchema = z.email({ pattern: z.regexes.html5Email, error: 'is not an e-mail address' }).max(254);
export const displayNameSchema = textSchema(200).trim().min(1);
/** Long rather than complicated; argon2id reads all of it. */
export const newPasswordSchema = textSchema(256).min(8, 'takes at least 8 characters');

export const sampleEmails = ['normal@twolane.test', 'vip@twolane.test', 'manager@twolane.test', 'bot@twolane.test'];
/** Of the sample accounts and the admin of the demo; production refuses it. */
export const samplePassword = 'twolane-demo';

/** An account as its owner and managers see it. */
export const userSchema = z
  .object({
    id: z.uuid(),
    email: z.string(),
    displayName: z.string(),
    role: roleSchema,
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'User', description: 'An account.' });
export type User = z.infer<typeof userSchema>;

/** Who is asking. */
export interface Actor {
  userId: string;
  email: string;
  role: Role;
}

/** The lane follows the role of the customer who placed the order. */
export function laneOf(role: Role): Lane {
  return role === 'VIP' ? 'vip' : 'normal';
}
