import { z } from 'zod';
import type { OrderFacts } from '../domain/email.ts';
import { paymentProviderSchema } from '../domain/payment.ts';
import { type Db, int8, sql, time } from './sql.ts';

const itemRow = z.object({ sku: z.string(), name: z.string(), quantity: z.number(), unitPriceMinor: z.number() });

const factsRow = z
  .object({
    number: int8,
    total_minor: int8,
    currency: z.string(),
    customer_name: z.string().nullable(),
    display_name: z.string(),
    note: z.string().nullable(),
    placed_at: time,
    completed_at: time.nullable(),
    provider: paymentProviderSchema.nullable(),
    capture_reference: z.string().nullable(),
    captured_minor: int8.nullable(),
    captured_at: time.nullable(),
    refunded_minor: int8.nullable(),
    items: z.array(itemRow),
  })
  .transform((row): OrderFacts => {
    const money = (amountMinor: number) => ({ amountMinor, currency: row.currency });
    return {
      number: row.number,
      items: row.items.map(({ unitPriceMinor, ...item }) => ({
        ...item,
        unitPrice: money(unitPriceMinor),
        total: money(item.quantity * unitPriceMinor),
      })),
      total: money(row.total_minor),
      customerName: row.customer_name,
      displayName: row.display_name,
      placedAt: new Date(row.placed_at),
      completedAt: row.completed_at === null ? null : new Date(row.completed_at),
      note: row.note,
      payment: row.provider && {
        provider: row.provider,
        reference: row.capture_reference,
        captured: money(row.captured_minor ?? 0),
        capturedAt: row.captured_at === null ? null : new Date(row.captured_at),
        refunded: money(row.refunded_minor ?? 0),
      },
    };
  });

/** What a mail and a receipt are written from. */
export function findOrderFacts(db: Db, orderNumber: number): Promise<OrderFacts | null> {
  return db.maybeOne(sql.type(factsRow)`
    SELECT o.number, o.total_minor, o.currency, o.customer_name, u.display_name, o.note, o.placed_at, o.completed_at,
      p.provider, p.capture_reference, p.captured_minor, p.captured_at, p.refunded_minor,
      (SELECT jsonb_agg(jsonb_build_object('sku', i.sku, 'name', i.name, 'quantity', i.quantity, 'unitPriceMinor', i.unit_price_minor) ORDER BY i.line)
       FROM order_items i WHERE i.order_id = o.id) AS items
    FROM orders o JOIN users u ON u.id = o.user_id LEFT JOIN payments p ON p.id = o.id
    WHERE o.number = ${orderNumber}
  `);
}
