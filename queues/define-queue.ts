import type { JobsOptions } from 'bullmq';
import type { z } from 'zod';

/** The contract between those who make a job and those who do it. The payload holds ids, never facts. */
export interface QueueDefinition<Payload> {
  name: string;
  payload: z.ZodType<Payload>;
  /** Adding a job whose id the queue still holds is a no-op. BullMQ refuses `:` and digits alone. */
  jobId(payload: Payload): string;
  /** Said on the worker, not on each job: a job without options costs a third of the memory in Redis. */
  keepFailed: number;
  options: Pick<JobsOptions, 'attempts' | 'backoff'>;
}

/** A job on its way from the outbox to its queue. */
export interface QueuedJob {
  id: string;
  data: unknown;
}

export function defineQueue<Payload>(definition: QueueDefinition<Payload>): QueueDefinition<Payload> & {
  job(payload: Payload): QueuedJob;
} {
  return { ...definition, job: (payload) => ({ id: definition.jobId(payload), data: payload }) };
}
