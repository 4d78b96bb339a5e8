import type { ShopFormat } from '../../receipts/shop-format.ts';
import type { Block, Message, MessageFacts } from './message.ts';
import { greeting, linesBlock, noteBlock, paymentFact, receiptButton } from './order-blocks.ts';

export function orderReady(facts: MessageFacts, format: ShopFormat): Message {
  const { order } = facts;
  const toPay: Block[] =
    order.payment === null
      ? [{ kind: 'paragraph', text: `Please pay ${format.money(order.total)} when you pick it up.` }]
      : [];
  return {
    subject: `Order ${order.number} is ready`,
    preview: 'Show the number at the counter to pick it up.',
    blocks: [
      { kind: 'heading', text: 'Your order is ready' },
      greeting(order),
      { kind: 'paragraph', text: 'You can pick it up now. Show this number at the counter:' },
      { kind: 'number', label: 'Order', value: String(order.number) },
      ...toPay,
      linesBlock(order, format),
      ...noteBlock(order),
      {
        kind: 'facts',
        facts: [
          { label: 'Placed', value: format.moment(order.placedAt) },
          ...(order.completedAt ? [{ label: 'Ready', value: format.moment(order.completedAt) }] : []),
          paymentFact(order),
        ],
      },
      ...receiptButton(facts, format),
    ],
    because: 'You get this mail because you placed an order with us.',
  };
}
