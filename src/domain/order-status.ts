import { z } from 'zod';

export const orderStatuses = ['awaiting_payment', 'pending', 'processing', 'complete', 'cancelled', 'failed'] as const;
export const orderStatusSchema = z
  .enum(orderStatuses)
  .meta({ id: 'OrderStatus', description: 'Where an order is on its way.' });
export type OrderStatus = z.infer<typeof orderStatusSchema>;

/** Every move an order can make. The SQL guards, the tests and the diagram in docs/architecture.md follow this table. */
export const orderMoves: Record<OrderStatus, readonly OrderStatus[]> = {
  awaiting_payment: ['pending', 'cancelled'],
  pending: ['processing', 'cancelled'],
  processing: ['complete', 'pending', 'failed', 'cancelled'], // back to pending when its bot is removed, its host dies or a retry is due
  failed: ['pending', 'cancelled'], // a manager's decision
  complete: [],
  cancelled: [],
};

/** The statuses from which an order may move to `to`: what a guarded UPDATE compares with. */
export function statusesBefore(to: OrderStatus): OrderStatus[] {
  return orderStatuses.filter((from) => orderMoves[from].includes(to));
}
