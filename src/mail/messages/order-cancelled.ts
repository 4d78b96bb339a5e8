import type { CancelReason } from '../../payments/next-step.ts';
import type { ShopFormat } from '../../receipts/shop-format.ts';
import type { Block, CancelledFacts, Message, MessageFacts } from './message.ts';
import { greeting, isPaid, linesBlock, reasonBlock } from './order-blocks.ts';

const becauseOf: Record<CancelReason, string> = {
  payment_expired: 'it was not paid in time',
  payment_declined: 'the payment was declined',
  payment_refused: 'the payment could not be made',
  payment_refunded: 'its payment was given back',
  authorisation_lost: 'the payment provider no longer holds the money for it',
};

export function orderCancelled({ order, cancelled }: MessageFacts, format: ShopFormat): Message {
  const words = wordsOf(cancelled);
  const isByShop = cancelled?.by === 'manager' && words.length > 0; // its reason follows
  const why = cancelled && !isByShop ? whyOf(cancelled) : null;
  const what = isByShop ? 'was cancelled by the shop' : 'was cancelled';
  return {
    subject: `Order ${order.number} is cancelled`,
    preview: why ? `${why.slice(0, 1).toUpperCase()}${why.slice(1)}.` : `It ${what}.`,
    blocks: [
      { kind: 'heading', text: `Order ${order.number} is cancelled` },
      greeting(order),
      {
        kind: 'paragraph',
        text: `Your order ${order.number} ${what}${why ? `: ${why}` : ''}.`,
      },
      ...words,
      { kind: 'paragraph', text: moneyOf({ order }, format) },
      linesBlock(order, format),
      { kind: 'facts', facts: [{ label: 'Placed', value: format.moment(order.placedAt) }] },
    ],
    because: 'You get this mail because you placed an order with us.',
  };
}

function whyOf({ by, reason }: CancelledFacts): string {
  if (by === 'customer') return 'you asked for it';
  if (by === 'manager') return 'the shop could not go on with it';
  return new Map(Object.entries(becauseOf)).get(reason ?? '') ?? 'it could not go on';
}

/** What a person has written down with it. */
function wordsOf(cancelled: CancelledFacts | undefined): Block[] {
  if (!cancelled || cancelled.by === 'system') return [];
  return reasonBlock(cancelled.by === 'customer' ? 'Your reason' : 'The reason given', cancelled.reason);
}

function moneyOf({ order: { payment } }: Pick<MessageFacts, 'order'>, format: ShopFormat): string {
  if (payment === null) return 'You have nothing to pay.';
  const { captured, refunded } = payment;
  if (!isPaid(captured)) return 'You have not been charged. Money that was reserved for it is released.';
  if (refunded.amountMinor >= captured.amountMinor)
    return `The ${format.money(captured)} you had paid has been given back.`;
  return `The ${format.money(captured)} you had paid is given back; we write again when that is done.`;
}
