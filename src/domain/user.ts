import { z } from 'zod';
import type { Lane } from './lane.ts';

export const roles = ['NORMAL', 'VIP', 'MANAGER', 'BOT'] as const;
export const roleSchema = z.enum(roles);
export type Role = z.infer<typeof roleSchema>;

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
