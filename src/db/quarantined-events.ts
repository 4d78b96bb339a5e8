import { type Db, nothing, sql } from './sql.ts';

/** What told of a payment is decided with it: an event of the same disagreement is no question of its own. */
export async function decideEventsOfPayment(
  db: Db,
  paymentId: string,
  kind: string,
  state: 'released' | 'discarded',
  decidedBy: string,
): Promise<void> {
  await db.query(sql.type(nothing)`
    WITH decided AS (
      UPDATE quarantine SET state = ${state}, decided_by = ${decidedBy}, decided_at = now()
      WHERE payment_id = ${paymentId} AND kind = ${kind} AND webhook_event_id IS NOT NULL AND state = 'open' RETURNING webhook_event_id
    )
    UPDATE webhook_events SET state = ${state === 'released' ? 'handled' : 'discarded'}, next_try_at = NULL, handled_at = now()
    FROM decided WHERE id = decided.webhook_event_id
  `);
}
