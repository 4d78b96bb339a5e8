import type { ShopFormat } from '../../receipts/shop-format.ts';
import type { Message, MessageFacts } from './message.ts';
import { greeting, isPaid, linesBlock, noteBlock, paymentFact, providerNames } from './order-blocks.ts';

export function orderConfirmed({ order }: MessageFacts, format: ShopFormat): Message {
  const total = format.money(order.total);
  return {
    subject: `Order ${order.number} is confirmed`,
    preview: `We have your order, ${total} in all, and write again when it is ready.`,
    blocks: [
      { kind: 'heading', text: `Order ${order.number} is confirmed` },
      greeting(order),
      { kind: 'paragraph', text: 'Thank you for your order. We write again when it is ready to be picked up.' },
      linesBlock(order, format),
      ...noteBlock(order),
      {
        kind: 'facts',
        facts: [
          { label: 'Order', value: String(order.number) },
          { label: 'Placed', value: format.moment(order.placedAt) },
          paymentFact(order),
        ],
      },
      { kind: 'paragraph', text: whenItIsPaid({ order }) },
    ],
    because: 'You get this mail because you placed an order with us.',
  };
}

function whenItIsPaid({ order: { payment } }: Pick<MessageFacts, 'order'>): string {
  if (payment === null) return 'You pay at the counter when you pick it up.';
  if (isPaid(payment.captured)) return 'It is paid. The receipt comes in a mail of its own.';
  return `The amount is reserved with ${providerNames[payment.provider]} and taken when your order is ready.`;
}
