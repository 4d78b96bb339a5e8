import { countBots } from '../db/bots.ts';
import { listOrderEvents } from '../db/order-events.ts';
import { countOrdersBefore, findMeanProcessingMs, findOrder, listOrders, type StoredOrder } from '../db/orders.ts';
import type { Db } from '../db/sql.ts';
import { OrderNotFoundError } from '../domain/errors.ts';
import type { Lane } from '../domain/lane.ts';
import type { Order, OrderEvent } from '../domain/order.ts';
import type { OrderStatus } from '../domain/order-status.ts';
import { pageOf } from '../domain/page.ts';
import { may } from '../domain/permissions.ts';
import { isoTime } from '../domain/time.ts';
import type { Actor } from '../domain/user.ts';

/** One order with its place and the time it should be ready. Another's order does not exist for its asker. */
export async function showOrder(db: Db, actor: Actor, orderNumber: number): Promise<Order> {
  const stored = await getVisibleOrder(db, actor, orderNumber);
  const { order, dueSeq, expectedAt } = stored;
  if (order.status === 'processing') return { ...order, estimatedReadyAt: isoTime(expectedAt) };
  if (order.status !== 'pending' || dueSeq === null) return order;
  const position = await countOrdersBefore(db, order.lane, dueSeq);
  return { ...order, position, estimatedReadyAt: await estimateReadyAt(db, position) };
}

export async function showOrderEvents(db: Db, actor: Actor, orderNumber: number): Promise<OrderEvent[]> {
  await getVisibleOrder(db, actor, orderNumber);
  return [...(await listOrderEvents(db, orderNumber))];
}

export interface OrderQuery {
  status?: OrderStatus | undefined;
  lane?: Lane | undefined;
  q?: string | undefined;
  limit: number;
  cursor?: string | undefined;
}

export async function listOrdersFor(
  db: Db,
  actor: Actor,
  query: OrderQuery,
): Promise<{ orders: Order[]; nextCursor: string | null }> {
  const found = await listOrders(db, {
    userId: may(actor, 'order:read-any') ? null : actor.userId,
    status: query.status ?? null,
    lane: query.lane ?? null,
    q: query.q ?? null,
    below: query.cursor === undefined ? null : Number(query.cursor),
    limit: query.limit + 1,
  });
  const { items, nextCursor } = pageOf(found, query.limit, ({ order }) => String(order.number));
  return { orders: items.map(({ order }) => order), nextCursor };
}

async function getVisibleOrder(db: Db, actor: Actor, orderNumber: number): Promise<StoredOrder> {
  const stored = await findOrder(db, orderNumber);
  if (!stored || (!may(actor, 'order:read-any') && stored.userId !== actor.userId))
    throw new OrderNotFoundError(orderNumber);
  return stored;
}

/** From the bots there are and the time the latest orders took; null while nobody can say. */
async function estimateReadyAt(db: Db, position: number): Promise<string | null> {
  const [bots, meanMs] = [await countBots(db), await findMeanProcessingMs(db)];
  const working = bots.idle + bots.processing;
  if (working === 0 || meanMs === null) return null;
  const rounds = Math.floor(position / working) + 1;
  return new Date(Date.now() + rounds * meanMs + (bots.idle === 0 ? meanMs / 2 : 0)).toISOString();
}
