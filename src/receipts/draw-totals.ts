import type { Money } from '../domain/money.ts';
import type { ContainedTax } from './contained-taxes.ts';
import { left, type Page, paper, right } from './receipt-page.ts';
import type { ShopFormat } from './shop-format.ts';

/** What it comes to, kept together on one page. */
export function drawTotals(page: Page, { total, paid }: { total: Money; paid: Money }, format: ShopFormat): void {
  const isAnother = paid.amountMinor !== total.amountMinor;
  page.need(isAnother ? 96 : 56);
  const { pen, document } = page;
  const big = { size: 14, weight: 700 } as const;
  const start = Math.min(360, right - pen.width('Total paid', big) - 24 - pen.width(format.money(paid), big));
  let y = page.y + 30;
  if (isAnother) {
    // A manager has accepted another amount than the items come to.
    const difference = { ...paid, amountMinor: paid.amountMinor - total.amountMinor };
    for (const [label, amount] of [
      ['Items', total],
      ['Adjustment', difference],
    ] as const) {
      pen.write(label, start, y, { size: 10, colour: paper.muted });
      pen.write(format.money(amount), right, y, { size: 10, align: 'right' });
      y += 17;
    }
    y += 6;
  }
  pen.write('Total paid', start, y, big);
  pen.write(format.money(paid), right, y, { ...big, align: 'right' });
  document
    .moveTo(start, y + 9)
    .lineTo(right, y + 9)
    .lineWidth(2)
    .stroke(page.accent);
  page.y = y + 18;
}

/** The taxes in it, one line for a rate, and their sum where there are several. */
export function drawTaxes(
  page: Page,
  taxes: readonly ContainedTax[],
  currency: string,
  taxName: string,
  format: ShopFormat,
): void {
  if (taxes.length === 0) return;
  const isSummed = taxes.length > 1;
  page.need(64 + (taxes.length + (isSummed ? 1 : 0)) * 16);
  const { pen, document } = page;
  const money = (amountMinor: number) => format.money({ amountMinor, currency });
  const columns = [left + 270, left + 385, right] as const;
  const muted = { size: 9, colour: paper.muted };
  let y = page.y + 30;
  const row = (
    label: string,
    amounts: readonly string[],
    style: { size: number; weight?: 400 | 700; colour?: string },
  ) => {
    pen.write(label, left, y, style);
    for (const [index, text] of amounts.entries())
      pen.write(text, columns[index] ?? right, y, { ...style, align: 'right' });
    y += 16;
  };
  row(`${taxName} contained`, ['Net', taxName, 'Gross'], { ...muted, weight: 700 });
  document
    .moveTo(left, y - 10)
    .lineTo(right, y - 10)
    .lineWidth(0.5)
    .stroke(paper.line);
  y += 4;
  for (const { rate, netMinor, taxMinor, grossMinor } of taxes)
    row(`${taxName} ${format.percent(rate)} %`, [netMinor, taxMinor, grossMinor].map(money), { size: 9.5 });
  const sum = (of: (tax: ContainedTax) => number) => money(taxes.reduce((all, tax) => all + of(tax), 0));
  if (isSummed)
    row('Sum', [sum((tax) => tax.netMinor), sum((tax) => tax.taxMinor), sum((tax) => tax.grossMinor)], {
      size: 9.5,
      weight: 700,
    });
  page.y = y;
}
