import { z } from 'zod';
import { type Lane, laneSchema } from '../domain/lane.ts';
import { type Order, paymentMethodSchema } from '../domain/order.ts';
import { type OrderStatus, orderStatusSchema, statusesBefore } from '../domain/order-status.ts';
import { paymentStatusSchema } from '../domain/payment.ts';
import { isoTime } from '../domain/time.ts';
import { type Db, int8, sql, time } from './sql.ts';

const itemRow = z.object({ sku: z.string(), name: z.string(), quantity: z.number(), unitPriceMinor: z.number() });

const orderRow = z
  .object({
    number: int8,
    user_id: z.uuid(),
    lane: laneSchema,
    status: orderStatusSchema,
    due_seq: int8.nullable(),
    enqueue_no: z.number(),
    total_minor: int8,
    currency: z.string(),
    payment_method: paymentMethodSchema,
    customer_name: z.string().nullable(),
    note: z.string().nullable(),
    attempt: z.number(),
    bot_number: z.number().nullable(),
    failure_reason: z.string().nullable(),
    placed_at: time,
    started_at: time.nullable(),
    completed_at: time.nullable(),
    cancelled_at: time.nullable(),
    expected_at: time.nullable(),
    payment_status: paymentStatusSchema.nullable(),
    checkout_url: z.string().nullable(),
    payment_reference: z.string().nullable(),
    authorised_until: time.nullable(),
    items: z.array(itemRow),
  })
  .transform((row) => ({
    userId: row.user_id,
    dueSeq: row.due_seq,
    enqueueNo: row.enqueue_no,
    expectedAt: row.expected_at,
    order: {
      number: row.number,
      lane: row.lane,
      status: row.status,
      items: row.items.map(({ unitPriceMinor, ...item }) => ({
        ...item,
        unitPrice: { amountMinor: unitPriceMinor, currency: row.currency },
        total: { amountMinor: item.quantity * unitPriceMinor, currency: row.currency },
      })),
      total: { amountMinor: row.total_minor, currency: row.currency },
      payment: {
        method: row.payment_method,
        status: row.payment_status,
        checkoutUrl:
          row.status === 'awaiting_payment' && row.payment_status === 'requires_payment' ? row.checkout_url : null,
        reference: row.payment_reference,
        authorisedUntil:
          row.payment_status === 'authorised' && row.status !== 'cancelled' ? isoTime(row.authorised_until) : null,
      },
      customerName: row.customer_name,
      note: row.note,
      attempt: row.attempt,
      botNumber: row.bot_number,
      position: null,
      estimatedReadyAt: null,
      placedAt: new Date(row.placed_at).toISOString(),
      startedAt: isoTime(row.started_at),
      completedAt: isoTime(row.completed_at),
      cancelledAt: isoTime(row.cancelled_at),
      failureReason: row.failure_reason,
    } satisfies Order as Order,
  }));
/** An order as its customer sees it, with what only the engine needs. */
export type StoredOrder = z.infer<typeof orderRow>;

const tables = sql.fragment`orders o LEFT JOIN payments p ON p.id = o.id`;
const columns = sql.fragment`
  o.number, o.user_id, o.lane, o.status, o.due_seq, o.enqueue_no, o.total_minor, o.currency, o.payment_method, o.customer_name, o.note,
  o.attempt, o.bot_number, o.failure_reason, o.placed_at, o.started_at, o.completed_at, o.cancelled_at, o.expected_at,
  p.status AS payment_status, p.checkout_url, coalesce(p.capture_reference, p.authorisation_reference, p.checkout_reference) AS payment_reference,
  coalesce(p.honoured_until, p.held_until) AS authorised_until,
  (SELECT jsonb_agg(jsonb_build_object('sku', i.sku, 'name', i.name, 'quantity', i.quantity, 'unitPriceMinor', i.unit_price_minor) ORDER BY i.line)
   FROM order_items i WHERE i.order_id = o.id) AS items`;

export function findOrder(db: Db, orderNumber: number): Promise<StoredOrder | null> {
  return db.maybeOne(
    sql.type(orderRow)`SELECT ${columns} FROM ${tables} WHERE o.number = ${orderNumber} AND o.deleted_at IS NULL`,
  );
}

export interface OrderFilter {
  /** Null: everybody's. */
  userId: string | null;
  status: OrderStatus | null;
  lane: Lane | null;
  /** An order number, an e-mail, or a reference of a payment provider. */
  q: string | null;
  /** Only numbers below this one. */
  below: number | null;
  limit: number;
}

/** Newest first. */
export function listOrders(db: Db, filter: OrderFilter): Promise<readonly StoredOrder[]> {
  const conditions = [sql.fragment`o.deleted_at IS NULL`];
  if (filter.userId) conditions.push(sql.fragment`o.user_id = ${filter.userId}`);
  if (filter.status) conditions.push(sql.fragment`o.status = ${filter.status}`);
  if (filter.lane) conditions.push(sql.fragment`o.lane = ${filter.lane}`);
  if (filter.below !== null) conditions.push(sql.fragment`o.number < ${filter.below}`);
  if (filter.q) {
    conditions.push(
      /^\d{1,15}$/.test(filter.q)
        ? sql.fragment`o.number = ${Number(filter.q)}`
        : filter.q.includes('@')
          ? sql.fragment`o.user_id IN (SELECT id FROM users WHERE lower(email) = lower(${filter.q}))`
          : sql.fragment`o.id IN (
              SELECT payment_id FROM payment_checkouts WHERE reference = ${filter.q} UNION
              SELECT id FROM payments WHERE authorisation_reference = ${filter.q} OR capture_reference = ${filter.q})`,
    );
  }
  return db.any(sql.type(orderRow)`
    SELECT ${columns} FROM ${tables} WHERE ${sql.join(conditions, sql.fragment` AND `)} ORDER BY o.number DESC LIMIT ${filter.limit}
  `);
}

const handlerOrderRow = z.object({
  items: z.array(z.object({ sku: z.string(), name: z.string(), quantity: z.number() })),
  note: z.string().nullable(),
  customerName: z.string().nullable(),
});

/** What a handler needs to know of an order. */
export function findHandlerOrder(db: Db, orderNumber: number): Promise<z.infer<typeof handlerOrderRow> | null> {
  return db.maybeOne(sql.type(handlerOrderRow)`
    SELECT o.note, o.customer_name AS "customerName",
      (SELECT jsonb_agg(jsonb_build_object('sku', i.sku, 'name', i.name, 'quantity', i.quantity) ORDER BY i.line) FROM order_items i WHERE i.order_id = o.id) AS items
    FROM orders o WHERE o.number = ${orderNumber}
  `);
}

const stateRow = z.object({ status: orderStatusSchema, enqueueNo: z.number() });

export function findOrderState(db: Db, orderNumber: number): Promise<z.infer<typeof stateRow> | null> {
  return db.maybeOne(
    sql.type(stateRow)`SELECT status, enqueue_no AS "enqueueNo" FROM orders WHERE number = ${orderNumber}`,
  );
}

/** How many pending orders will be started before this place. */
export function countOrdersBefore(db: Db, lane: Lane, dueSeq: number): Promise<number> {
  const ahead =
    lane === 'vip'
      ? sql.fragment`lane = 'vip' AND due_seq < ${dueSeq}`
      : sql.fragment`(lane = 'vip' OR (lane = 'normal' AND due_seq < ${dueSeq}))`;
  return db.oneFirst(
    sql.type(z.object({ count: int8 }))`SELECT count(*) AS count FROM orders WHERE status = 'pending' AND ${ahead}`,
  );
}

/** The mean time from start to completion of the latest orders, in milliseconds; null before the first. */
export function findMeanProcessingMs(db: Db): Promise<number | null> {
  return db.oneFirst(sql.type(z.object({ ms: z.number().nullable() }))`
    SELECT (extract(epoch FROM avg(completed_at - started_at)) * 1000)::float8 AS ms
    FROM (SELECT completed_at, started_at FROM orders WHERE status = 'complete' ORDER BY number DESC LIMIT 50) latest
  `);
}

const movedRow = z.object({ lane: laneSchema, enqueueNo: z.number() });

/** Cancels in one guarded statement; null when the order is in none of the statuses `from`, or is not this user's. */
export function cancelOrderRow(
  db: Db,
  cancel: {
    orderNumber: number;
    userId: string | null;
    from: readonly OrderStatus[];
    actor: string;
    reason: string | null;
  },
): Promise<z.infer<typeof movedRow> | null> {
  const allowed = cancel.from.filter((status) => statusesBefore('cancelled').includes(status));
  const owner = cancel.userId ? sql.fragment`AND o.user_id = ${cancel.userId}` : sql.fragment``;
  return db.maybeOne(sql.type(movedRow)`
    WITH former AS (
      -- Locked before it is read: a start that commits meanwhile is seen, and not cancelled under the wrong name.
      SELECT o.id, o.status FROM orders o
      WHERE o.number = ${cancel.orderNumber} AND o.status = ANY (${sql.array(allowed, 'text')}) ${owner} FOR UPDATE
    ), moved AS (
      UPDATE orders o SET status = 'cancelled', cancelled_at = now(), retry_at = NULL, expected_at = NULL, progress = NULL, updated_at = now(),
        failure_reason = ${cancel.actor === 'system' ? cancel.reason : null}
      FROM former WHERE o.id = former.id
      RETURNING o.number, o.lane, o.enqueue_no, o.attempt, o.bot_number, former.status AS former_status
    ), events AS (
      INSERT INTO order_events (order_number, lane, type, from_status, to_status, attempt, bot_number, actor, detail)
      SELECT number, lane, 'cancelled', former_status, 'cancelled', attempt, bot_number, ${cancel.actor},
             CASE WHEN ${cancel.reason}::text IS NULL THEN NULL ELSE jsonb_build_object('reason', ${cancel.reason}::text) END
      FROM moved
    ), payment AS (
      -- What became of its money, the next look sees to.
      UPDATE payments SET sync_no = sync_no + 1, next_sync_at = now() + interval '15 seconds'
      FROM moved WHERE order_number = moved.number RETURNING id, sync_no
    ), boxed AS (
      INSERT INTO outbox (queue, jobs, available_at)
      SELECT 'payment-sync', jsonb_build_array(jsonb_build_object('paymentId', id, 'syncNo', sync_no)), now() FROM payment
    )
    SELECT lane, enqueue_no AS "enqueueNo" FROM moved
  `);
}

/** An order that is paid for becomes due, at the end of its lane; null when it does not wait for its payment (any more). */
export function releaseOrderRow(db: Db, orderNumber: number): Promise<z.infer<typeof movedRow> | null> {
  return db.maybeOne(sql.type(movedRow)`
    WITH moved AS (
      UPDATE orders SET status = 'pending', due_seq = nextval('order_due_seq'), updated_at = now()
      WHERE number = ${orderNumber} AND status = 'awaiting_payment'
      RETURNING number, lane, enqueue_no, attempt
    ), events AS (
      INSERT INTO order_events (order_number, lane, type, from_status, to_status, attempt, actor)
      SELECT number, lane, 'paid', 'awaiting_payment', 'pending', attempt, 'system' FROM moved
    ), boxed AS (
      INSERT INTO outbox (queue, jobs, available_at)
      SELECT 'orders-' || lane, jsonb_build_array(jsonb_build_object('orderNumber', number, 'enqueueNo', enqueue_no)), now() FROM moved
    )
    SELECT lane, enqueue_no AS "enqueueNo" FROM moved
  `);
}

/** A failed order becomes due again, at the end of its lane, with a new job and all its attempts; null when it has not failed. */
export function retryOrderRow(db: Db, orderNumber: number, actor: string): Promise<z.infer<typeof movedRow> | null> {
  return db.maybeOne(sql.type(movedRow)`
    WITH moved AS (
      UPDATE orders SET status = 'pending', due_seq = nextval('order_due_seq'), enqueue_no = enqueue_no + 1, failure_count = 0,
        failure_reason = NULL, bot_id = NULL, bot_number = NULL, host_id = NULL, started_at = NULL, retry_at = NULL, updated_at = now()
      WHERE number = ${orderNumber} AND status = 'failed'
      RETURNING number, lane, enqueue_no, attempt
    ), events AS (
      INSERT INTO order_events (order_number, lane, type, from_status, to_status, attempt, actor)
      SELECT number, lane, 'retried', 'failed', 'pending', attempt, ${actor} FROM moved
    ), boxed AS (
      INSERT INTO outbox (queue, jobs, available_at)
      SELECT 'orders-' || lane, jsonb_build_array(jsonb_build_object('orderNumber', number, 'enqueueNo', enqueue_no)), now() FROM moved
    )
    SELECT lane, enqueue_no AS "enqueueNo" FROM moved
  `);
}
