import { outboxQueues } from '../../queues/all-queues.ts';
import type { QueueStore } from '../../queues/backend.ts';
import { optionsOf } from '../../queues/define-queue.ts';
import { laneQueues } from '../../queues/lanes.ts';
import { orderJobSchema } from '../../queues/order-job.ts';
import { claimOutboxRows, deleteOutboxRows, type OutboxRow } from '../db/outbox.ts';
import type { Database } from '../db/pool.ts';
import type { Db } from '../db/sql.ts';
import { lanes } from '../domain/lane.ts';
import type { Logger } from '../log.ts';
import { rebuildQueues } from './rebuild-queues.ts';
import { restorePlaces } from './restore-places.ts';

export interface RelayDeps {
  database: Database;
  store: QueueStore;
  log: Logger;
}

const rowsAtOnce = 200;

/**
 * Hands over jobs that the process which wrote them did not: it died, or the queue store was away. Rows stay locked until
 * their queue holds them, so another relay skips them; adding a job that is there already is a no-op. Returns how many rows.
 */
export async function relayOutbox(deps: RelayDeps): Promise<number> {
  const { database, store, log } = deps;
  let total = 0;
  let isInOrder = true;
  for (let count = rowsAtOnce; count === rowsAtOnce; total += count) {
    count = await database.pool.transaction(async (transaction) => {
      const rows = await claimOutboxRows(transaction, rowsAtOnce);
      if (rows.length === 0) return 0;
      isInOrder = (await handOver(transaction, store, rows)) && isInOrder;
      await deleteOutboxRows(
        transaction,
        rows.map((row) => row.id),
      );
      return rows.length;
    });
  }
  if (total > 0) log.info({ rows: total }, 'outbox relayed');
  if (!isInOrder) await rebuildQueues(deps);
  return total;
}

/** False when the jobs are in their lane but far from their places. */
async function handOver(transaction: Db, store: QueueStore, rows: readonly OutboxRow[]): Promise<boolean> {
  let isInOrder = true;
  for (const definition of outboxQueues) {
    const jobs = rows
      .filter(({ queue }) => queue === definition.name)
      .flatMap((row) => row.jobs.map((data) => definition.read(data)));
    if (jobs.length === 0) continue;
    const options = optionsOf(definition);
    await store
      .queue(definition.name)
      .addBulk(
        jobs.map(({ id, data }) => ({ name: jobNameOf(definition.name), data, opts: { ...options, jobId: id } })),
      );
    const lane = lanes.find((name) => laneQueues[name].name === definition.name);
    // They come late: younger orders may be in the lane already.
    if (lane)
      isInOrder =
        (await restorePlaces(
          { db: transaction, store },
          lane,
          jobs.map(({ data }) => orderJobSchema.parse(data).orderNumber),
        )) && isInOrder;
  }
  return isInOrder;
}

/** What people see in Bull Board. */
const jobNameOf = (queue: string) => (queue.startsWith('orders-') ? 'order' : queue);
