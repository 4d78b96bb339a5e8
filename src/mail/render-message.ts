import type { ShopSettings } from '../config-mail.ts';
import type { EmailKind } from '../domain/email.ts';
import { type ShopFormat, shopFormat } from '../receipts/shop-format.ts';
import { layoutHtml } from './layout-html.ts';
import { layoutText } from './layout-text.ts';
import type { Message, MessageFacts } from './messages/message.ts';
import { orderCancelled } from './messages/order-cancelled.ts';
import { orderConfirmed } from './messages/order-confirmed.ts';
import { orderReady } from './messages/order-ready.ts';
import { orderRefunded } from './messages/order-refunded.ts';
import { receipt } from './messages/receipt.ts';

export interface RenderedMessage {
  subject: string;
  text: string;
  html: string;
}

const messages: Record<EmailKind, (facts: MessageFacts, format: ShopFormat) => Message> = {
  order_confirmed: orderConfirmed,
  order_ready: orderReady,
  receipt,
  order_cancelled: orderCancelled,
  order_refunded: orderRefunded,
};

/** What a customer is told, as text and as HTML. The same facts give the same mail, to the letter. */
export async function renderMessage(
  kind: EmailKind,
  facts: MessageFacts,
  shop: ShopSettings,
): Promise<RenderedMessage> {
  const message = messages[kind](facts, shopFormat(shop));
  return {
    subject: message.subject,
    text: layoutText(message, facts, shop),
    html: await layoutHtml(message, facts.links, shop),
  };
}
