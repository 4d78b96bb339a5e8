import type { DatabasePool } from 'slonik';
import { findOrder, retryOrderRow } from '../db/orders.ts';
import { OrderNotFoundError, OrderTransitionRefusedError } from '../domain/errors.ts';

/** A manager's decision: a failed order is due again, at the end of its lane. Its job travels by the outbox. */
export async function retryOrder(
  { pool, announce }: { pool: DatabasePool; announce(): void },
  orderNumber: number,
): Promise<void> {
  if (await retryOrderRow(pool, orderNumber, 'manager')) return announce();
  const stored = await findOrder(pool, orderNumber);
  if (!stored) throw new OrderNotFoundError(orderNumber);
  throw new OrderTransitionRefusedError(orderNumber, stored.order.status, 'pending');
}
