import { z } from 'zod';
import type { BoardOrderEvent } from '../domain/board.ts';
import { laneSchema } from '../domain/lane.ts';
import { type OrderEvent, orderEventTypeSchema } from '../domain/order.ts';
import { orderStatusSchema } from '../domain/order-status.ts';
import { settledXid } from './settled-events.ts';
import { type Db, int8, sql, time } from './sql.ts';

const timelineRow = z
  .object({
    id: z.string(),
    at: time,
    type: orderEventTypeSchema,
    actor: z.string(),
    attempt: z.number(),
    detail: z.record(z.string(), z.unknown()).nullable(),
  })
  .transform((row): OrderEvent => ({ ...row, at: new Date(row.at).toISOString() }));

/** The timeline of one order with that of its money and of what its customer was told, oldest first. */
export function listOrderEvents(db: Db, orderNumber: number): Promise<readonly OrderEvent[]> {
  return db.any(sql.type(timelineRow)`
    SELECT id::text AS id, at, type, actor, attempt, detail, id AS place FROM order_events WHERE order_number = ${orderNumber}
    UNION ALL
    SELECT 'p' || event.id, event.at, event.type, event.actor,
      (SELECT coalesce(max(move.attempt), 0) FROM order_events move WHERE move.order_number = o.number AND move.at <= event.at),
      event.detail, event.id
    FROM payment_events event JOIN orders o ON o.id = event.payment_id WHERE o.number = ${orderNumber}
    UNION ALL
    SELECT 'e' || email.id, email.finished_at, 'email_' || email.state, 'system',
      (SELECT coalesce(max(move.attempt), 0) FROM order_events move WHERE move.order_number = email.order_number AND move.at <= email.finished_at),
      -- Enough to see that it went to the wrong place.
      jsonb_strip_nulls(jsonb_build_object('kind', email.kind, 'to', regexp_replace(email.recipient, '^(.).*@', '\\1…@'),
        'reason', CASE email.state WHEN 'failed' THEN email.failure_message END)), 0
    FROM emails email WHERE email.order_number = ${orderNumber} AND email.state IN ('sent', 'failed')
    ORDER BY at, place
  `);
}

/** A place in the stream of all events: everything up to it has been told. */
export interface EventCursor {
  xid: string;
  id: string;
}

export interface StreamedEvent extends BoardOrderEvent {
  cursor: EventCursor;
}

const streamedRow = z
  .object({
    xid: z.string(),
    id: z.string(),
    number: int8,
    lane: laneSchema,
    from: orderStatusSchema.nullable(),
    to: orderStatusSchema,
    botNumber: z.number().nullable(),
    at: time,
  })
  .transform(
    ({ xid, id, ...row }): StreamedEvent => ({ ...row, at: new Date(row.at).toISOString(), cursor: { xid, id } }),
  );

/**
 * The next events in (xid, id) order, up to the oldest transaction of this database that still runs: an event that commits later with a smaller id
 * has a larger xid, or was waited for, so nothing is ever told behind the cursor. Sorted by the table's columns: the bare names
 * would be the texts of the answer, 1000 before 999.
 */
export function listEventsAfter(db: Db, cursor: EventCursor, limit: number): Promise<readonly StreamedEvent[]> {
  return db.any(sql.type(streamedRow)`
    SELECT xid::text AS xid, id::text AS id, order_number AS number, lane, from_status AS "from", to_status AS "to", bot_number AS "botNumber", at
    FROM order_events
    WHERE (xid, id) > (${cursor.xid}::xid8, ${cursor.id}::bigint) AND xid < ${settledXid}
    ORDER BY order_events.xid, order_events.id LIMIT ${limit}
  `);
}
