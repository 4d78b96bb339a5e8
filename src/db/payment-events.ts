import type { PaymentEventType } from '../domain/payment.ts';
import { type Db, nothing, sql } from './sql.ts';

export async function recordPaymentEvent(
  db: Db,
  event: { paymentId: string; type: PaymentEventType; actor: string; detail?: Record<string, string | number | null> },
): Promise<void> {
  await db.query(sql.type(nothing)`
    INSERT INTO payment_events (payment_id, type, actor, detail)
    VALUES (${event.paymentId}, ${event.type}, ${event.actor}, ${event.detail ? sql.jsonb(event.detail) : null})
  `);
}
