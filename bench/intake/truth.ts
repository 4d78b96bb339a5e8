import type { QueueStore } from '../../queues/backend.ts';
import { laneQueues } from '../../queues/lanes.ts';
import { lanes } from '../../src/domain/lane.ts';
import type { LabDatabase } from '../lab/lab-database.ts';

/** What a run left behind, after its server has ended. */
export interface IntakeTruth {
  orders: number;
  /** Neighbours in a lane that stand in another order than their numbers. */
  outOfOrder: number;
}

/**
 * Compares what was stored with what was answered, and throws where they differ. Orders beyond the answers can only be those
 * that were under way when the load ended: at most one per connection and load.
 */
export async function checkIntake(
  database: LabDatabase,
  store: QueueStore,
  expected: { answers: number; underWay: number; ordersBefore: number; isOrdered: boolean },
): Promise<IntakeTruth> {
  const [stored] = await database.query<Record<'orders' | 'items' | 'events' | 'outbox' | 'keys', number>>(`
    SELECT (SELECT count(*)::int FROM orders) AS orders, (SELECT count(*)::int FROM order_items) AS items,
           (SELECT count(*)::int FROM order_events) AS events, (SELECT count(*)::int FROM outbox) AS outbox,
           (SELECT count(DISTINCT (user_id, idempotency_key))::int FROM orders) AS keys`);
  if (!stored) throw new Error('no count of what was stored');
  const orders = stored.orders - expected.ordersBefore;
  const faults: string[] = [];
  if (orders < expected.answers || orders > expected.answers + expected.underWay)
    faults.push(`${orders} orders for ${expected.answers} answers`);
  if (stored.items !== 2 * stored.orders) faults.push(`${stored.items} items of ${stored.orders} orders`);
  if (stored.events !== stored.orders) faults.push(`${stored.events} events of ${stored.orders} orders`);
  if (stored.keys !== stored.orders) faults.push(`${stored.keys} keys of ${stored.orders} orders`);
  if (stored.outbox !== 0) faults.push(`${stored.outbox} outbox rows left`);

  let jobs = 0;
  let outOfOrder = 0;
  for (const lane of lanes) {
    const waiting = (await store.listWaiting(laneQueues[lane].name)).map((jobId) => Number(jobId.split('-')[1]));
    const rows = await database.query<{ number: string }>(
      'SELECT number FROM orders WHERE lane = $1 ORDER BY due_seq',
      [lane],
    );
    const numbers = rows.map((row) => Number(row.number));
    if (expected.isOrdered && numbers.some((number, index) => number <= (numbers[index - 1] ?? 0)))
      faults.push(`due_seq and numbers differ in ${lane}`);
    const inLane = new Set(waiting);
    if (inLane.size !== numbers.length || numbers.some((number) => !inLane.has(number)))
      faults.push(`${lane} holds ${inLane.size} jobs for ${numbers.length} orders`);
    jobs += waiting.length;
    outOfOrder += waiting.filter((number, index) => number < (waiting[index - 1] ?? 0)).length;
  }
  if (jobs !== stored.orders) faults.push(`${jobs} jobs for ${stored.orders} orders`);
  if (expected.isOrdered && outOfOrder > 0) faults.push(`${outOfOrder} jobs out of order`);
  if (faults.length > 0) throw new Error(`the intake did not keep its word: ${faults.join('; ')}`);
  return { orders, outOfOrder };
}
