import type { ShopFormat } from '../../receipts/shop-format.ts';
import type { Message, MessageFacts } from './message.ts';
import { greeting, linesBlock, providerNames, reasonBlock } from './order-blocks.ts';

export function orderRefunded({ order, refund }: MessageFacts, format: ShopFormat): Message {
  const { payment } = order;
  const total = refund?.total ?? payment?.refunded ?? order.total;
  const amount = refund?.amount ?? total;
  const provider = payment ? ` by ${providerNames[payment.provider]}` : '';
  const captured = payment?.captured ?? order.total;
  return {
    subject: `${format.money(amount)} refunded for order ${order.number}`,
    preview: 'It can take some days until you see it on your account.',
    blocks: [
      { kind: 'heading', text: 'Money on its way back' },
      greeting(order),
      {
        kind: 'paragraph',
        text: `We have refunded ${format.money(amount)} for order ${order.number}${provider}. It goes back the way you paid, and can take some days until you see it.`,
      },
      ...reasonBlock('The reason given', refund?.reason),
      {
        kind: 'facts',
        facts: [
          { label: 'This refund', value: format.money(amount) },
          { label: 'Refunded in all', value: format.money(total) },
          { label: 'You had paid', value: format.money(captured) },
          ...(payment?.reference ? [{ label: 'Reference', value: payment.reference }] : []),
        ],
      },
      linesBlock(order, format),
    ],
    because: 'You get this mail because you paid for an order. Refunds are always told.',
  };
}
