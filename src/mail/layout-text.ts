import type { ShopSettings } from '../config-mail.ts';
import { addressOf, isolated } from '../receipts/shop-format.ts';
import { padLeft, padRight, textWidth, wrap } from './layout-text-width.ts';
import type { Block, Fact, Line, Message, MessageFacts, Total } from './messages/message.ts';

const tableWidth = 60;

/** The message for those who read mails as text: a good read by itself, at most 76 wide where words allow it. */
export function layoutText(message: Message, { links }: Pick<MessageFacts, 'links'>, shop: ShopSettings): string {
  const parts = [shop.name, ...message.blocks.map(textOf), footer(message, links, shop)];
  return `${parts.join('\n\n')}\n`;
}

function textOf(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `${block.text}\n${'='.repeat(textWidth(block.text))}`;
    case 'paragraph':
      return wrap(block.text).join('\n');
    case 'number':
      return `    ${block.label} ${block.value}`;
    case 'quote':
      return [`${block.label}:`, ...block.text.split('\n').flatMap((line) => quoted(line))].join('\n');
    case 'button':
      return [`${block.label}:`, block.url, ...wrap(block.hint)].join('\n'); // an address is never broken
    case 'facts':
      return factLines(block.facts);
    case 'lines':
      return table(block.lines, block.totals);
  }
}

const quoted = (line: string) => wrap(line, 74).map((piece) => `> ${isolated(piece)}`);

function factLines(facts: Fact[]): string {
  const width = Math.max(...facts.map(({ label }) => textWidth(label)));
  return facts.map(({ label, value }) => `${padRight(`${label}:`, width + 2)}${value}`).join('\n');
}

/** Quantity, name and amount in three columns; a long name goes on below itself. */
function table(lines: Line[], totals: Total[]): string {
  const quantityWidth = Math.max(...lines.map(({ quantity }) => String(quantity).length));
  const amountWidth = Math.max(...[...lines, ...totals].map(({ amount }) => textWidth(amount)));
  const nameWidth = Math.max(16, tableWidth - quantityWidth - 3 - 2 - amountWidth);
  const indent = ' '.repeat(quantityWidth + 3);
  const rows = lines.flatMap(({ quantity, name, each, amount }) => {
    const [first = '', ...rest] = wrap(name, nameWidth);
    const start = `${String(quantity).padStart(quantityWidth)} × ${padRight(isolated(first), nameWidth)}`;
    return [
      `${start}  ${padLeft(amount, amountWidth)}`,
      ...[...rest.map((line) => isolated(line)), ...(each ? [each] : [])].map((line) => `${indent}${line}`),
    ];
  });
  const width = indent.length + nameWidth + 2 + amountWidth;
  const sums = totals.map(
    ({ label, amount }) => `${padRight(label, width - amountWidth - 2)}  ${padLeft(amount, amountWidth)}`,
  );
  return [...rows, '-'.repeat(width), ...sums].join('\n');
}

/** After `-- `, the line that mail programs know the end of a mail by. */
function footer(message: Message, links: MessageFacts['links'], shop: ShopSettings): string {
  return [
    '-- ',
    shop.name,
    ...shop.addressLines,
    ...(shop.email ? [`Write to us: ${addressOf(shop.email)}`] : []),
    ...(links.shop ? [links.shop] : []),
    '',
    ...wrap(message.because),
    ...(links.unsubscribe ? ['Unsubscribe from news of orders:', links.unsubscribe] : []),
  ].join('\n');
}
