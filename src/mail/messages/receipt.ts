import type { ShopFormat } from '../../receipts/shop-format.ts';
import type { Message, MessageFacts } from './message.ts';
import { greeting, linesBlock, paymentFact, providerNames, receiptButton } from './order-blocks.ts';

export function receipt(facts: MessageFacts, format: ShopFormat): Message {
  const { order } = facts;
  const { payment } = order;
  const paid = format.money(payment?.captured ?? order.total);
  // A manager may have accepted another amount than the order's total.
  const isAnother = payment !== null && payment.captured.amountMinor !== order.total.amountMinor;
  return {
    subject: `Receipt for order ${order.number}: ${paid}`,
    preview: `${paid} paid. The receipt is attached as a PDF.`,
    blocks: [
      { kind: 'heading', text: 'Your receipt' },
      greeting(order),
      {
        kind: 'paragraph',
        text: `Thank you. Your payment of ${paid} for order ${order.number} has arrived; the receipt is attached as a PDF.`,
      },
      linesBlock(order, format, isAnother ? [{ label: 'Paid', value: paid }] : []),
      {
        kind: 'facts',
        facts: [
          { label: 'Order', value: String(order.number) },
          { label: 'Placed', value: format.moment(order.placedAt) },
          ...(payment?.capturedAt ? [{ label: 'Paid', value: format.moment(payment.capturedAt) }] : []),
          payment ? { label: 'Payment', value: `paid by ${providerNames[payment.provider]}` } : paymentFact(order),
          ...(payment?.reference ? [{ label: 'Reference', value: payment.reference }] : []),
        ],
      },
      ...receiptButton(facts, format),
    ],
    because: 'You get this mail because you paid for an order. Receipts are sent for every payment.',
  };
}
