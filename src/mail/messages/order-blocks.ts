import type { OrderFacts } from '../../domain/email.ts';
import type { Money } from '../../domain/money.ts';
import { isolated, oneLine, type ShopFormat } from '../../receipts/shop-format.ts';
import type { Block, Fact, MessageFacts } from './message.ts';

export const providerNames = { stripe: 'Stripe', paypal: 'PayPal' } as const;

/** Whom to address: who picks it up, else whose account it is. */
export function nameOf(order: OrderFacts): string {
  return oneLine(order.customerName ?? '') || oneLine(order.displayName);
}

export function greeting(order: OrderFacts): Block {
  const name = nameOf(order);
  return { kind: 'paragraph', text: name ? `Hello ${isolated(name)},` : 'Hello,' };
}

/** Every item, and what it comes to. */
export function linesBlock({ items, total }: OrderFacts, format: ShopFormat, more: Fact[] = []): Block {
  return {
    kind: 'lines',
    lines: items.map(({ name, sku, quantity, unitPrice, total }) => ({
      quantity,
      name: oneLine(name) || oneLine(sku),
      each: quantity > 1 ? `${format.money(unitPrice)} each` : null,
      amount: format.money(total),
    })),
    totals: [
      { label: 'Total', amount: format.money(total), isStrong: true },
      ...more.map(({ label, value }) => ({ label, amount: value, isStrong: false })),
    ],
  };
}

/** How far the money is, in a few words. */
export function paymentFact({ payment }: OrderFacts): Fact {
  if (payment === null) return { label: 'Payment', value: 'at the counter' };
  const provider = providerNames[payment.provider];
  if (isPaid(payment.captured)) return { label: 'Payment', value: `paid by ${provider}` };
  return { label: 'Payment', value: `reserved with ${provider}` };
}

export const isPaid = (amount: Money) => amount.amountMinor > 0;

export function noteBlock({ note }: OrderFacts): Block[] {
  const lines = (note ?? '')
    .split(/\r\n|[\r\n\u2028\u2029]/)
    .map(oneLine)
    .join('\n')
    .trim();
  return lines === '' ? [] : [{ kind: 'quote', label: 'Your note', text: lines }];
}

/** Why, in the words of whoever did it. */
export function reasonBlock(label: string, reason: string | null | undefined): Block[] {
  const text = oneLine(reason ?? '');
  return text === '' ? [] : [{ kind: 'quote', label, text }];
}

export function receiptButton({ links }: MessageFacts, format: ShopFormat): Block[] {
  if (links.receipt === null) return [];
  const { url, endsAt } = links.receipt;
  return [{ kind: 'button', label: 'Open the receipt', url, hint: `The link works until ${format.moment(endsAt)}.` }];
}
