import { DelayedError, type Job, UnrecoverableError } from 'bullmq';
import type { PullWorker, QueueStore } from '../queues/backend.ts';
import type { QueueDefinition } from '../queues/define-queue.ts';
import type { Logger } from '../src/log.ts';

/** How the work on a job ended, when it did not fail: done, or not now. */
export type JobOutcome = 'done' | { again: 'later'; inMs: number };

export interface JobWorkerDeps {
  store: QueueStore;
  log: Logger;
  /** Whether a repeat may help, and when the other side asked for it. */
  judge(error: unknown): { isFinal: boolean; retryAfterMs: number | null };
}

const lockMs = 10_000;
const stalledCheckMs = 2_500;
const longestBackoffMs = 60_000;
const longestWishMs = 600_000;

/** Does the jobs of one queue, several at a time, by an operation that may run twice. */
export function startJobWorker<Payload>(
  { store, log, judge }: JobWorkerDeps,
  definition: QueueDefinition<Payload>,
  concurrency: number,
  handle: (payload: Payload, context: { isRetriedByHand: boolean }) => Promise<JobOutcome>,
): PullWorker {
  const process = async (job: Job, token?: string) => {
    const payload = definition.payload.safeParse(job.data);
    if (!payload.success) throw new UnrecoverableError(`not a job of ${definition.name}`);
    const isRetriedByHand = (job.data as { isStuck?: boolean }).isStuck === true;
    let outcome: JobOutcome;
    try {
      outcome = await handle(payload.data, { isRetriedByHand });
    } catch (error) {
      if (!judge(error).isFinal) throw error;
      // Never tried again by itself; so whoever runs it again does it by hand.
      await job.updateData({ ...(job.data as object), isStuck: true });
      throw new UnrecoverableError((error as Error).message);
    }
    if (outcome === 'done') return;
    await job.moveToDelayed(Date.now() + outcome.inMs, token);
    throw new DelayedError();
  };
  const worker = store.createJobWorker(definition.name, process, {
    name: definition.name,
    concurrency,
    lockDuration: lockMs,
    stalledInterval: stalledCheckMs,
    // Deploys and crashes fail no job: what it is about is in Postgres, and every handler may run twice.
    maxStalledCount: 1_000_000,
    removeOnComplete: { count: 100 },
    removeOnFail: { count: definition.keepFailed },
    settings: { backoffStrategy: (attempts, _type, error) => backoffMs(attempts ?? 1, judge(error).retryAfterMs) },
  });
  worker.on('error', (error) => log.warn({ queue: definition.name, error: error.message }, 'job worker failed'));
  worker.on('failed', (job, error) => {
    const line = { queue: definition.name, jobId: job?.id, attempt: job?.attemptsMade, error: error.message };
    log.warn(line, 'job failed');
  });
  return worker;
}

/** Full jitter, so that those who failed together do not come back together; never sooner than the other side has asked. */
function backoffMs(attempts: number, retryAfterMs: number | null): number {
  const ceiling = Math.min(longestBackoffMs, 500 * 2 ** attempts);
  return Math.round(Math.min(retryAfterMs ?? 0, longestWishMs) + Math.max(50, Math.random() * ceiling));
}
