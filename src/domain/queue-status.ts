import { z } from 'zod';

/** What the queues hold, and whether their store is the one that was last filled. */
export const queueStatusSchema = z.object({
  backend: z.enum(['redis', 'postgres']),
  marker: z.string().describe('`known`, or `unknown`: it is not the store that was last filled'),
  queues: z.array(
    z.object({
      name: z.string(),
      waiting: z.int(),
      active: z.int(),
      delayed: z.int(),
      failed: z.int(),
      completed: z.int(),
      paused: z.boolean(),
    }),
  ),
  outbox: z.object({ waiting: z.int(), oldestSeconds: z.number().min(0) }),
});
export type QueueStatus = z.infer<typeof queueStatusSchema>;
