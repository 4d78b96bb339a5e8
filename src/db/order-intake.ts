import type { Pool } from 'pg';
import type { Lane } from '../domain/lane.ts';
import type { PaymentMethod } from '../domain/order.ts';
import { plainArray, textArray } from './array-literal.ts';

/** An order ready to be written: priced, with its lane decided. */
export interface OrderDraft {
  /** UUIDv7: new keys go to the end of the index. */
  id: string;
  userId: string;
  actor: string;
  lane: Lane;
  currency: string;
  totalMinor: number;
  paymentMethod: PaymentMethod;
  customerName: string | null;
  note: string | null;
  idempotencyKey: string | null;
  /** Hex SHA-256 of the request, only with a key. */
  requestHash: string | null;
  items: { sku: string; name: string; quantity: number; unitPriceMinor: number }[];
}

export interface WrittenOrders {
  /** By draft id. A draft that is missing met an order with the same key. */
  placed: Map<string, { number: number; placedAt: number }>;
  outbox: { id: string; queue: string; orderNumbers: number[] }[];
}

/** How long the writing process has for handing jobs over itself before a relay does it. */
const relayGrace = '2 seconds';

/*
 * One statement, so one trip and one commit for the whole group. Numbers follow the order of the arrays. Items are filtered
 * by a hashed sub-plan: a join against `placed` could become a nested loop, quadratic in the group. What is paid online gets a payment,
 * and no place yet.
 */
const insertOrdersText = `
  WITH input AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[])
      WITH ORDINALITY AS input (id, user_id, actor, lane, total_minor, currency, payment_method, customer_name, note, idempotency_key, request_hash, place)
  ), placed AS (
    INSERT INTO orders (id, user_id, lane, status, due_seq, total_minor, currency, payment_method, customer_name, note, idempotency_key, request_hash)
    SELECT id, user_id, lane, CASE payment_method WHEN 'counter' THEN 'pending' ELSE 'awaiting_payment' END,
           CASE payment_method WHEN 'counter' THEN nextval('order_due_seq') END, total_minor, currency, payment_method, customer_name, note,
           idempotency_key, decode(request_hash, 'hex')
    FROM input
    -- A repeat takes no number; two at the same moment are told apart by the conflict below.
    WHERE idempotency_key IS NULL OR NOT EXISTS (
      SELECT FROM orders earlier WHERE earlier.user_id = input.user_id AND earlier.idempotency_key = input.idempotency_key
    )
    ORDER BY place
    ON CONFLICT (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
    RETURNING id, number, lane, status, placed_at, total_minor, currency, payment_method
  ), items AS (
    INSERT INTO order_items (order_id, line, sku, name, quantity, unit_price_minor)
    SELECT item.* FROM unnest($12::uuid[], $13::smallint[], $14::text[], $15::text[], $16::int[], $17::bigint[])
      AS item (order_id, line, sku, name, quantity, unit_price_minor)
    WHERE (item.order_id IN (SELECT id FROM placed)) IS TRUE
  ), events AS (
    INSERT INTO order_events (order_number, lane, type, to_status, attempt, actor)
    SELECT placed.number, placed.lane, 'placed', placed.status, 0, input.actor FROM placed JOIN input USING (id)
  ), payments AS (
    INSERT INTO payments (id, order_number, provider, amount_minor, currency, next_sync_at)
    SELECT id, number, payment_method, total_minor, currency, now() + interval '15 seconds' FROM placed WHERE status = 'awaiting_payment'
  ), boxed AS (
    INSERT INTO outbox (queue, jobs, available_at)
    SELECT 'orders-' || lane, jsonb_agg(jsonb_build_object('orderNumber', number, 'enqueueNo', 1) ORDER BY number), now() + interval '${relayGrace}'
    FROM placed WHERE status = 'pending' GROUP BY lane
    RETURNING id, queue
  ), handed_over AS (
    DELETE FROM outbox WHERE id = ANY ($18::bigint[])
  )
  SELECT id::text AS id, number, CASE status WHEN 'pending' THEN lane END AS queue, (extract(epoch FROM placed_at) * 1000)::float8 AS at FROM placed
  UNION ALL
  SELECT NULL, id, queue, NULL FROM boxed`;

/**
 * Writes a group of orders with their items, events and outbox rows, and removes the outbox rows of earlier groups that
 * their queues hold by now. All of it is kept, or nothing.
 */
export async function insertOrders(
  writer: Pool,
  drafts: readonly OrderDraft[],
  handedOver: readonly string[],
): Promise<WrittenOrders> {
  const orderIds: string[] = [];
  const lines: number[] = [];
  const skus: string[] = [];
  const names: string[] = [];
  const quantities: number[] = [];
  const unitPrices: number[] = [];
  for (const draft of drafts) {
    draft.items.forEach((item, index) => {
      orderIds.push(draft.id);
      lines.push(index + 1);
      skus.push(item.sku);
      names.push(item.name);
      quantities.push(item.quantity);
      unitPrices.push(item.unitPriceMinor);
    });
  }
  const { rows } = await writer.query<{ id: string | null; number: string; queue: string | null; at: number | null }>({
    name: 'insert-orders',
    text: insertOrdersText,
    values: [
      plainArray(drafts.map((draft) => draft.id)),
      plainArray(drafts.map((draft) => draft.userId)),
      plainArray(drafts.map((draft) => draft.actor)),
      plainArray(drafts.map((draft) => draft.lane)),
      plainArray(drafts.map((draft) => draft.totalMinor)),
      plainArray(drafts.map((draft) => draft.currency)),
      plainArray(drafts.map((draft) => draft.paymentMethod)),
      textArray(drafts.map((draft) => draft.customerName)),
      textArray(drafts.map((draft) => draft.note)),
      textArray(drafts.map((draft) => draft.idempotencyKey)),
      textArray(drafts.map((draft) => draft.requestHash)),
      plainArray(orderIds),
      plainArray(lines),
      textArray(skus),
      textArray(names),
      plainArray(quantities),
      plainArray(unitPrices),
      plainArray(handedOver),
    ],
  });
  const written: WrittenOrders = { placed: new Map(), outbox: [] };
  const numbersOf: Record<string, number[]> = {};
  for (const row of rows) {
    if (row.id !== null && row.at !== null) {
      written.placed.set(row.id, { number: Number(row.number), placedAt: row.at });
      if (row.queue === null) continue; // due once it is paid for
      const queue = `orders-${row.queue}`;
      const numbers = numbersOf[queue] ?? [];
      numbers.push(Number(row.number));
      numbersOf[queue] = numbers;
    } else if (row.queue !== null) {
      written.outbox.push({ id: row.number, queue: row.queue, orderNumbers: numbersOf[row.queue] ?? [] });
    }
  }
  return written;
}

export interface KeyedOrder {
  id: string;
  number: number;
  placedAt: number;
  userId: string;
  idempotencyKey: string;
  requestHash: string;
}

/** The orders that already have these keys. */
export async function findOrdersByKey(
  writer: Pool,
  drafts: readonly Pick<OrderDraft, 'userId' | 'idempotencyKey'>[],
): Promise<KeyedOrder[]> {
  const { rows } = await writer.query<KeyedOrder & { number: string }>({
    name: 'find-orders-by-key',
    text: `
      SELECT o.id, o.number, (extract(epoch FROM o.placed_at) * 1000)::float8 AS "placedAt", o.user_id AS "userId",
             o.idempotency_key AS "idempotencyKey", encode(o.request_hash, 'hex') AS "requestHash"
      FROM unnest($1::uuid[], $2::text[]) AS wanted (user_id, idempotency_key)
      JOIN orders o ON o.user_id = wanted.user_id AND o.idempotency_key = wanted.idempotency_key`,
    values: [plainArray(drafts.map((draft) => draft.userId)), textArray(drafts.map((draft) => draft.idempotencyKey))],
  });
  return rows.map((row) => ({ ...row, number: Number(row.number) }));
}

/** Which of these orders were written after all: asked when the connection was lost during the commit. */
export async function findPlaced(writer: Pool, drafts: readonly OrderDraft[]): Promise<WrittenOrders['placed']> {
  const { rows } = await writer.query<{ id: string; number: string; at: number }>({
    name: 'find-placed',
    text: `SELECT id::text AS id, number, (extract(epoch FROM placed_at) * 1000)::float8 AS at FROM orders WHERE id = ANY ($1::uuid[])`,
    values: [plainArray(drafts.map((draft) => draft.id))],
  });
  return new Map(rows.map((row) => [row.id, { number: Number(row.number), placedAt: row.at }]));
}
