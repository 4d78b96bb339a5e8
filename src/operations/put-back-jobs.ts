import type { QueueStore } from '../../queues/backend.ts';
import { type DefinedQueue, optionsOf } from '../../queues/define-queue.ts';

/** Adds jobs that their queue does not have any more. One in these states would absorb the new one, and is removed first. Gives how many. */
export async function putBackJobs<Payload>(
  store: QueueStore,
  definition: DefinedQueue<Payload>,
  payloads: readonly Payload[],
  replaced: readonly ('completed' | 'failed')[],
): Promise<number> {
  if (payloads.length === 0) return 0;
  const queue = store.queue(definition.name);
  const jobs = payloads.map((payload) => definition.job(payload));
  const states = await Promise.all(jobs.map(({ id }) => queue.getJobState(id)));
  const gone = jobs.filter(
    (_job, index) => states[index] === 'unknown' || replaced.some((one) => one === states[index]),
  );
  if (gone.length === 0) return 0;
  await Promise.all(gone.map(({ id }) => queue.remove(id)));
  await queue.addBulk(
    gone.map(({ id, data }) => ({ name: definition.name, data, opts: { ...optionsOf(definition), jobId: id } })),
  );
  return gone.length;
}
