import { z } from 'zod';

export const botSchema = z.object({
  number: z.int(),
  /** `unassigned`: no living host has room for it. */
  status: z.enum(['idle', 'processing', 'unassigned']),
  orderNumber: z.int().nullable(),
  startedAt: z.iso.datetime().nullable(),
  host: z.string().nullable(),
});
export type Bot = z.infer<typeof botSchema>;

/** How long a host may be silent before its orders go to others. The lease in Postgres alone says who lives. */
export const hostLeaseMs = 3_000;
export const leaseRenewalMs = 1_000;

/** The locks of jobs are only the net below: they find a job whose host gave its order back and died before it gave back the job. */
export const jobLockMs = 10_000;
export const stalledCheckMs = 2_000;
