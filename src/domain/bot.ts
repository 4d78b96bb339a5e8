import { z } from 'zod';

export const botSchema = z
  .object({
    number: z.int().min(1),
    status: z.enum(['idle', 'processing', 'unassigned']).describe('`unassigned`: no living host has room for it'),
    orderNumber: z.int().nullable().describe('The order in its hand'),
    startedAt: z.iso.datetime().nullable().describe('When it began with that order'),
    host: z.string().nullable().describe('The process that runs it'),
  })
  .meta({ id: 'Bot', description: 'Does one order at a time.' });
export type Bot = z.infer<typeof botSchema>;

/** How long a host may be silent before its orders go to others. The lease in Postgres alone says who lives. */
export const hostLeaseMs = 3_000;
export const leaseRenewalMs = 1_000;

/** How long a robot of one's own may be silent: longer than a host, for its calls come from somewhere else, through proxies. */
export const robotLeaseMs = 10_000;
/** What stands in the place of a host's name. */
export const robotHostName = 'robot';
/** How long a robot may ask to be kept waiting for an order. */
export const maxClaimWaitSeconds = 20;

/** The locks of jobs are only the net below: they find a job whose host gave its order back and died before it gave back the job. */
export const jobLockMs = 10_000;
export const stalledCheckMs = 2_000;
