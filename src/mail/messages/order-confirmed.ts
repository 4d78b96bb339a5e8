import type { ShopFormat } from '../../receipts/shop-format.ts';
import type { Block, Message, MessageFacts } from './message.ts';
import { greeting, isPaid, linesBlock, noteBlock, paymentFact, providerNames } from './order-blocks.ts';

export function orderConfirmed({ order, links }: MessageFacts, format: ShopFormat): Message {
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
      ...standingButton({ order, links }),
    ],
    because: 'You get this mail because you placed an order with us.',
  };
}

/** The board has all orders; one that is paid online has a page of its own too. */
function standingButton({ order, links }: Pick<MessageFacts, 'order' | 'links'>): Block[] {
  if (links.standing === null) return [];
  const hint = order.payment ? 'The page changes as the order goes on.' : `Look for ${order.number} on the board.`;
  return [{ kind: 'button', label: 'See where it stands', url: links.standing, hint }];
}

function whenItIsPaid({ order: { payment } }: Pick<MessageFacts, 'order'>): string {
  if (payment === null) return 'You pay at the counter when you pick it up.';
  if (isPaid(payment.captured)) return 'It is paid. The receipt comes in a mail of its own.';
  return `The amount is reserved with ${providerNames[payment.provider]} and taken when your order is ready.`;
}
