import type { DatabasePool } from 'slonik';
import { recordAudit } from '../db/audit-events.ts';
import { findOrder, retryOrderRow } from '../db/orders.ts';
import type { AuditActor } from '../domain/audit.ts';
import { OrderNotFoundError, OrderTransitionRefusedError } from '../domain/errors.ts';

/** A manager's decision: a failed order is due again, at the end of its lane. Its job travels by the outbox. */
export async function retryOrder(
  { pool, announce }: { pool: DatabasePool; announce(): void },
  orderNumber: number,
  by: { actor: AuditActor; address: string },
): Promise<void> {
  const isRetried = await pool.transaction(async (transaction) => {
    const isMoved = await retryOrderRow(transaction, orderNumber, 'manager');
    if (isMoved) await recordAudit(transaction, { action: 'order_retried', subject: `order ${orderNumber}`, ...by });
    return isMoved;
  });
  if (isRetried) return announce();
  const stored = await findOrder(pool, orderNumber);
  if (!stored) throw new OrderNotFoundError(orderNumber);
  throw new OrderTransitionRefusedError(orderNumber, stored.order.status, 'pending');
}
