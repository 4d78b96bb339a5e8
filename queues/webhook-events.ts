import { z } from 'zod';
import { defineQueue } from './define-queue.ts';

/** Finds out what an event of a provider is about. `tries` tells a parked one that is tried again from its first time. */
export const webhookEventsQueue = defineQueue({
  name: 'webhook-events',
  payload: z.object({ webhookEventId: z.uuid(), tries: z.int() }),
  jobId: ({ webhookEventId, tries }) => `webhook-${webhookEventId}-${tries}`,
  keepFailed: 1_000,
  options: { attempts: 8 },
});
