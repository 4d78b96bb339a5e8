import { z } from 'zod';

/** Highest first: a free bot looks at the lanes in this order. */
export const lanes = ['vip', 'normal'] as const;
export const laneSchema = z
  .enum(lanes)
  .meta({ id: 'Lane', description: 'Bots take from `vip` first; `normal` when it is empty.' });
export type Lane = z.infer<typeof laneSchema>;
