import { z } from 'zod';
import { emailKindSchema } from '../domain/email.ts';
import type { EventCursor } from './order-events.ts';
import { type Db, int8, sql } from './sql.ts';

/** Events between two places: after the first, up to and with the second. */
export interface EventSpan {
  after: EventCursor;
  upTo: EventCursor;
  /** What is older is nobody's news any more. */
  maxAgeMs: number;
}

const dueRow = z.object({
  source: z.string(),
  kind: emailKindSchema,
  orderNumber: int8,
  recipient: z.string(),
  detail: z.record(z.string(), z.unknown()).nullable(),
});
export type DueEmail = z.infer<typeof dueRow>;

/** A closed account is told nothing, a robot reads nothing, and what a manager took down for somebody else is not the manager's. */
const isTold = sql.fragment`u.deleted_at IS NULL AND u.role <> 'BOT' AND NOT (u.role = 'MANAGER' AND o.customer_name IS NOT NULL)`;

const within = ({ after, upTo }: EventSpan) => sql.fragment`
  (e.xid, e.id) > (${after.xid}::xid8, ${after.id}::bigint) AND (e.xid, e.id) <= (${upTo.xid}::xid8, ${upTo.id}::bigint)`;
const isNew = ({ maxAgeMs }: EventSpan) => sql.fragment`e.at >= now() - ${maxAgeMs}::float8 * interval '1 millisecond'`;

/** What customers are told of their orders. One that was never paid for is cancelled in silence: its page has said so. */
export function listDueOrderEmails(db: Db, span: EventSpan): Promise<readonly DueEmail[]> {
  return db.any(sql.type(dueRow)`
    SELECT 'order-' || e.id AS source, u.email AS recipient, e.order_number AS "orderNumber",
      CASE e.type WHEN 'completed' THEN 'order_ready' WHEN 'cancelled' THEN 'order_cancelled' ELSE 'order_confirmed' END AS kind,
      CASE e.type WHEN 'cancelled' THEN jsonb_build_object('reason', e.detail ->> 'reason', 'actor', e.actor) END AS detail
    FROM order_events e JOIN orders o ON o.number = e.order_number JOIN users u ON u.id = o.user_id
    WHERE ${within(span)} AND ${isNew(span)} AND ${isTold} AND (
      e.type IN ('paid', 'completed') OR (e.type = 'placed' AND e.to_status = 'pending')
      OR (e.type = 'cancelled' AND e.from_status <> 'awaiting_payment'))
    ORDER BY e.xid, e.id
  `);
}

/**
 * What was said by whoever asked for the money that went back this time: of the refunds that lead from what had gone back before to
 * what has by now. Null where these do not come to it, as when the provider was asked behind our back.
 */
const refundReason = sql.fragment`(
  SELECT CASE WHEN sum(amount_minor) = (e.detail ->> 'amountMinor')::bigint THEN string_agg(reason, '; ' ORDER BY seq) END
  FROM (SELECT seq, reason, amount_minor, sum(amount_minor) OVER (ORDER BY seq) AS reached FROM payment_operations
        WHERE payment_id = p.id AND type = 'refund' AND state <> 'failed' AND created_at <= e.at) AS refunds
  WHERE reached <= (e.detail ->> 'refundedMinor')::bigint
    AND reached > (e.detail ->> 'refundedMinor')::bigint - (e.detail ->> 'amountMinor')::bigint)`;

/** Money that went back: this time, and in all. Where a refund has failed later there is less than before, and nothing went back. */
export function listDueRefundEmails(db: Db, span: EventSpan): Promise<readonly DueEmail[]> {
  return db.any(sql.type(dueRow)`
    SELECT 'payment-' || e.id AS source, u.email AS recipient, p.order_number AS "orderNumber", 'order_refunded' AS kind,
      jsonb_build_object('amountMinor', e.detail -> 'amountMinor', 'totalMinor', e.detail -> 'refundedMinor', 'currency', p.currency,
        'reason', ${refundReason}) AS detail
    FROM payment_events e JOIN payments p ON p.id = e.payment_id JOIN orders o ON o.id = p.id JOIN users u ON u.id = o.user_id
    WHERE ${within(span)} AND ${isNew(span)} AND ${isTold} AND e.type IN ('payment_partially_refunded', 'payment_refunded')
      AND (e.detail ->> 'amountMinor')::bigint > 0
    ORDER BY e.xid, e.id
  `);
}

/** Payments of which something was captured, by these events, and that have no receipt. */
export function listReceiptsDue(db: Db, span: EventSpan): Promise<readonly string[]> {
  return db.anyFirst(sql.type(z.object({ paymentId: z.uuid() }))`
    SELECT DISTINCT e.payment_id AS "paymentId" FROM payment_events e
    WHERE ${within(span)} AND e.type IN ('payment_captured', 'payment_partially_refunded', 'payment_refunded')
      AND NOT EXISTS (SELECT FROM receipts r WHERE r.payment_id = e.payment_id)
  `);
}

/** The mail that carries a receipt; null when nobody is to be told, or it is too late. */
export function findReceiptEmail(db: Db, paymentId: string, maxAgeMs: number): Promise<DueEmail | null> {
  return db.maybeOne(sql.type(dueRow)`
    SELECT 'receipt-' || p.id AS source, u.email AS recipient, p.order_number AS "orderNumber", 'receipt' AS kind, NULL AS detail
    FROM payments p JOIN orders o ON o.id = p.id JOIN users u ON u.id = o.user_id
    WHERE p.id = ${paymentId} AND p.captured_at >= now() - ${maxAgeMs}::float8 * interval '1 millisecond' AND ${isTold}
  `);
}
