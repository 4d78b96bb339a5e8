import type { OrderItem } from '../domain/order.ts';
import { bottom, left, type Page, paper, right } from './receipt-page.ts';
import { oneLine, type ShopFormat } from './shop-format.ts';

const lineHeight = 13.5;
const name = { size: 10 };
const sku = { size: 8.5, colour: paper.muted };

/** `flat-white` below `Flat white` tells nobody anything. */
const saysNoMore = ({ name, sku }: OrderItem) => bare(sku) === bare(name) || oneLine(name) === '';
const bare = (text: string) =>
  oneLine(text)
    .toLowerCase()
    .replace(/[\s\p{Pd}]/gu, '');

/** The table of items, over as many pages as it takes; each page names the columns again. */
export function drawItems(page: Page, items: readonly OrderItem[], format: ShopFormat): void {
  const rows = items.map((item) => ({
    quantity: String(item.quantity),
    unit: format.money(item.unitPrice),
    total: format.money(item.total),
    name: oneLine(item.name) || oneLine(item.sku),
    sku: saysNoMore(item) ? '' : oneLine(item.sku),
  }));
  const widest = (texts: string[]) => Math.max(...texts.map((text) => page.pen.width(text, name)));
  const totalWidth = Math.max(48, widest(rows.map(({ total }) => total)));
  const unitRight = right - totalWidth - 22;
  const quantityRight = unitRight - Math.max(48, widest(rows.map(({ unit }) => unit))) - 22;
  const nameWidth = quantityRight - 40 - left;

  const drawHead = () => {
    const { document, pen } = page;
    document.rect(left - 8, page.y, right - left + 16, 24).fill(paper.tint);
    const style = { size: 9, weight: 700, colour: paper.muted } as const;
    const y = page.y + 15.5;
    pen.write('Item', left, y, style);
    pen.write('Qty', quantityRight, y, { ...style, align: 'right' });
    pen.write('Each', unitRight, y, { ...style, align: 'right' });
    pen.write('Total', right, y, { ...style, align: 'right' });
    page.y += 24;
  };

  drawHead();
  for (const row of rows) {
    const lines = page.pen.wrap(row.name, nameWidth, name);
    const skuLines = row.sku === '' ? [] : page.pen.wrap(row.sku, nameWidth, sku);
    const height = 9 + lines.length * lineHeight + skuLines.length * 11 + 5;
    if (page.y + height > bottom) {
      page.next();
      drawHead();
    }
    const { document, pen } = page;
    let y = page.y + 9 + 9;
    pen.write(row.quantity, quantityRight, y, { ...name, align: 'right' });
    pen.write(row.unit, unitRight, y, { ...name, align: 'right' });
    pen.write(row.total, right, y, { ...name, align: 'right' });
    for (const line of lines) {
      pen.write(line, left, y, name);
      y += lineHeight;
    }
    for (const line of skuLines) {
      pen.write(line, left, y - 1, sku);
      y += 11;
    }
    page.y += height;
    document.moveTo(left, page.y).lineTo(right, page.y).lineWidth(0.5).stroke(paper.line);
  }
}
