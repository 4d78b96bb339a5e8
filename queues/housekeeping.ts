import { z } from 'zod';
import { defineQueue } from './define-queue.ts';

/** What the engine does by the clock. Made by schedulers, one for each task. */
export const housekeepingTasks = ['janitor', 'missed-events', 'reconciliation'] as const;
export type HousekeepingTask = (typeof housekeepingTasks)[number];

export const housekeepingQueue = defineQueue({
  name: 'housekeeping',
  payload: z.object({ task: z.enum(housekeepingTasks) }),
  jobId: ({ task }) => `housekeeping-${task}`,
  keepFailed: 200,
  options: {},
});
