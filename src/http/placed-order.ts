import type { Order } from '../domain/order.ts';
import type { FreshOrder } from '../operations/order-intake.ts';

/** The answer to a new order that is paid at the counter, made of what was just written: no query. */
export function placedOrder({ number, placedAt, draft }: FreshOrder): Order {
  const { currency } = draft;
  return {
    number,
    lane: draft.lane,
    status: 'pending',
    items: draft.items.map(({ sku, name, quantity, unitPriceMinor }) => ({
      sku,
      name,
      quantity,
      unitPrice: { amountMinor: unitPriceMinor, currency },
      total: { amountMinor: quantity * unitPriceMinor, currency },
    })),
    total: { amountMinor: draft.totalMinor, currency },
    payment: { method: draft.paymentMethod, status: null, checkoutUrl: null, reference: null, authorisedUntil: null },
    customerName: draft.customerName,
    note: draft.note,
    attempt: 0,
    botNumber: null,
    position: null,
    estimatedReadyAt: null,
    placedAt: new Date(placedAt).toISOString(),
    startedAt: null,
    completedAt: null,
    cancelledAt: null,
    failureReason: null,
  };
}
