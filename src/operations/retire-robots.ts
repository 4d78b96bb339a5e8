import type { DatabasePool } from 'slonik';
import { laneQueues } from '../../queues/lanes.ts';
import { giveBackOfBot } from '../db/order-returns.ts';
import { addToOutbox } from '../db/outbox.ts';
import { retireRobotRows } from '../db/robots.ts';
import type { Logger } from '../log.ts';

export interface RetireRobotsDeps {
  pool: DatabasePool;
  announce(): void;
  log: Pick<Logger, 'info'>;
}

/**
 * Takes robots out of service whose accounts were deleted or have another role now, whoever did that and how. What they had in
 * hand is pending again, in its place, and it does not count against it; its job is gone, so a new one travels by the outbox.
 */
export async function retireRobots({ pool, announce, log }: RetireRobotsDeps): Promise<void> {
  const { robots, orders } = await pool.transaction(async (transaction) => {
    const retired = await retireRobotRows(transaction);
    let count = 0;
    for (const { id } of retired) {
      for (const { lane, orderNumber, enqueueNo } of await giveBackOfBot(transaction, id, 'system')) {
        await addToOutbox(transaction, laneQueues[lane].name, [{ orderNumber, enqueueNo }]);
        count += 1;
      }
    }
    return { robots: retired.length, orders: count };
  });
  if (robots === 0) return;
  announce();
  log.info({ robots, orders }, 'robots retired');
}
