import type { DatabasePool } from 'slonik';
import type { QueueStore } from '../../queues/backend.ts';
import { laneQueues } from '../../queues/lanes.ts';
import { recordAudit } from '../db/audit-events.ts';
import { notify } from '../db/notify.ts';
import { cancelOrderRow, findOrder } from '../db/orders.ts';
import { OrderNotFoundError, OrderTransitionRefusedError } from '../domain/errors.ts';
import type { OrderStatus } from '../domain/order-status.ts';
import { may } from '../domain/permissions.ts';
import type { Actor } from '../domain/user.ts';
import type { Logger } from '../log.ts';
import { within } from './within.ts';

export interface CancelOrderDeps {
  pool: DatabasePool;
  store: QueueStore;
  announce(): void;
  wakeRelay(): void;
  log: Pick<Logger, 'info'>;
}

/** The order is cancelled already: its answer does not wait for a store that is away. */
const removalMs = 500;

const byCustomer: OrderStatus[] = ['awaiting_payment', 'pending'];
const byManager: OrderStatus[] = [...byCustomer, 'processing', 'failed'];

/** A customer cancels before a bot has begun; a manager at any time before the end, and the bot lets go. */
export async function cancelOrder(
  { pool, store, announce, wakeRelay, log }: CancelOrderDeps,
  actor: Actor,
  orderNumber: number,
  { reason, address }: { reason: string | null; address: string },
): Promise<void> {
  const by = { actor: { kind: 'user', id: actor.userId, name: actor.email }, address } as const;
  const isManager = may(actor, 'order:cancel-any');
  const cancelled = await pool.transaction(async (transaction) => {
    const row = await cancelOrderRow(transaction, {
      orderNumber,
      userId: isManager ? null : actor.userId,
      from: isManager ? byManager : byCustomer,
      actor: isManager ? 'manager' : 'customer',
      reason,
    });
    if (row)
      await recordAudit(transaction, {
        action: 'order_cancelled',
        ...by,
        subject: `order ${orderNumber}`,
        detail: { reason },
      });
    return row;
  });
  if (!cancelled) {
    const stored = await findOrder(pool, orderNumber);
    if (!stored || (!isManager && stored.userId !== actor.userId)) throw new OrderNotFoundError(orderNumber);
    throw new OrderTransitionRefusedError(orderNumber, stored.order.status, 'cancelled');
  }
  announce();
  wakeRelay(); // what was paid for it is given back
  await notify(pool, 'twolane_bots');
  const queue = laneQueues[cancelled.lane];
  try {
    const removal = store.queue(queue.name).remove(queue.jobId({ orderNumber, enqueueNo: cancelled.enqueueNo }));
    await within(removalMs, 'The queue store', removal);
  } catch (error) {
    // Whoever is given the job finds the order cancelled and drops it.
    log.info({ orderNumber, error: (error as Error).message }, 'job of a cancelled order left in its lane');
  }
}
