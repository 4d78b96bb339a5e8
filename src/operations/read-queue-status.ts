import type { DatabasePool } from 'slonik';
import { allQueues } from '../../queues/all-queues.ts';
import type { QueueStore } from '../../queues/backend.ts';
import { getOutboxLag } from '../db/outbox.ts';
import { findQueueStore } from '../db/queue-stores.ts';

/** What `twolane queues status` shows: the queues, and whether the store is the one that was last filled. */
export async function readQueueStatus({ pool, store }: { pool: DatabasePool; store: QueueStore }) {
  const [known, marker, outbox] = await Promise.all([
    findQueueStore(pool, store.kind),
    store.readMarker(),
    getOutboxLag(pool),
  ]);
  const queues = await Promise.all(
    allQueues.map(async ({ name }) => {
      const queue = store.queue(name);
      const [counts, paused] = await Promise.all([
        queue.getJobCounts('wait', 'active', 'delayed', 'failed', 'completed'),
        queue.isPaused(),
      ]);
      const { wait: waiting = 0, active = 0, delayed = 0, failed = 0, completed = 0 } = counts;
      return { name, waiting, active, delayed, failed, completed, paused };
    }),
  );
  return { backend: store.kind, marker: known?.marker === marker ? 'known' : 'unknown', queues, outbox };
}
