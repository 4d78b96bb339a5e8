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
  options: Pick<JobsOptions, 'attempts'>;
}

/** A job on its way from the outbox to its queue. */
export interface QueuedJob {
  id: string;
  data: unknown;
}

export type DefinedQueue<Payload> = QueueDefinition<Payload> & {
  job(payload: Payload): QueuedJob;
  /** What was written down earlier, perhaps by another version. Throws when it is no job of this queue. */
  read(data: unknown): QueuedJob;
};

export function defineQueue<Payload>(definition: QueueDefinition<Payload>): DefinedQueue<Payload> {
  const job = (payload: Payload) => ({ id: definition.jobId(payload), data: payload });
  return { ...definition, job, read: (data) => job(definition.payload.parse(data)) };
}

/** What the queue is told with each job. Lanes have no options: there Postgres counts. */
export function optionsOf({ options }: Pick<QueueDefinition<never>, 'options'>): JobsOptions {
  return options.attempts ? { ...options, backoff: { type: 'custom' } } : {};
}
