import PDFDocument from 'pdfkit';
import type { ShopSettings, TaxSettings } from '../config-mail.ts';
import type { OrderFacts } from '../domain/email.ts';
import { inkOn, inkOnWhite } from './colours.ts';
import { containedTaxes } from './contained-taxes.ts';
import { drawItems } from './draw-items.ts';
import { drawTaxes, drawTotals } from './draw-totals.ts';
import { bottom, left, type Page, paper, right } from './receipt-page.ts';
import { createPen, type ReceiptPen } from './receipt-pen.ts';
import { addressOf, languageOf, oneLine, shopFormat } from './shop-format.ts';

const providers = { stripe: 'Stripe', paypal: 'PayPal' } as const;

export function drawReceipt(facts: OrderFacts, shop: ShopSettings, tax: TaxSettings): Promise<Buffer> {
  const document = new PDFDocument({
    size: 'A4',
    margin: 0,
    bufferPages: true,
    pdfVersion: '1.7',
    lang: languageOf(shop),
    displayTitle: true,
    info: {
      Title: `Receipt ${facts.number}`,
      Author: shop.name,
      Subject: `Receipt for order ${facts.number}`,
      Creator: 'twolane',
      CreationDate: facts.payment?.capturedAt ?? facts.completedAt ?? facts.placedAt, // and not now: a repeat is the same file
    },
  });
  const chunks: Buffer[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  document.on('data', (chunk: Buffer) => chunks.push(chunk));
  document.on('end', () => resolve(Buffer.concat(chunks)));
  document.on('error', reject);
  drawOn(document, facts, shop, tax);
  document.end();
  return promise;
}

function drawOn(
  document: InstanceType<typeof PDFDocument>,
  facts: OrderFacts,
  shop: ShopSettings,
  tax: TaxSettings,
): void {
  const pen = createPen(document);
  const format = shopFormat(shop);
  const page: Page = {
    document,
    pen,
    accent: inkOnWhite(shop.colour),
    y: 0,
    next() {
      document.addPage();
      drawSlimHead(page, facts, shop);
    },
    need(height) {
      if (page.y + height > bottom) page.next();
    },
  };
  drawHead(page, facts, shop);
  const paid = facts.payment?.captured ?? facts.total;
  drawItems(page, facts.items, format);
  drawTotals(page, { total: facts.total, paid }, format);
  drawTaxes(page, containedTaxes(facts.items, paid, tax), paid.currency, tax.name, format);
  drawFeet(document, page, shop);
}

/** The first page: a band in the shop's colour, whom it is from and for, and what it is about. */
function drawHead(page: Page, facts: OrderFacts, shop: ShopSettings): void {
  const { document, pen } = page;
  const format = shopFormat(shop);
  const ink = inkOn(shop.colour);
  document.rect(0, 0, paper.width, 84).fill(shop.colour);
  const { size, lines } = fitName(pen, oneLine(shop.name));
  for (const [index, line] of lines.entries()) {
    const y = 49 + (index - (lines.length - 1) / 2) * size * 1.3;
    pen.write(line, left, y, { size, weight: 700, colour: ink });
  }
  pen.write(`Receipt ${facts.number}`, right, 49, { size: 14, colour: ink, align: 'right' });

  const small = { size: 9.5, colour: paper.muted };
  let y = 116;
  const from = [
    ...shop.addressLines,
    ...(shop.email ? [addressOf(shop.email)] : []),
    ...(shop.taxNumber ? [`Tax number ${shop.taxNumber}`] : []),
  ];
  for (const line of from.flatMap((text) => pen.wrap(oneLine(text), 230, small))) {
    pen.write(line, left, y, small);
    y += 14;
  }

  const { payment } = facts;
  const reference = payment?.reference ?? null;
  const customer = oneLine(facts.customerName ?? '') || oneLine(facts.displayName);
  const rows: [label: string, value: string][] = [
    ['Order', String(facts.number)],
    ...(customer ? ([['For', customer]] satisfies [string, string][]) : []),
    ['Placed', format.moment(facts.placedAt)],
    ...(payment?.capturedAt ? ([['Paid', format.moment(payment.capturedAt)]] satisfies [string, string][]) : []),
    ['Payment', payment ? `paid by ${providers[payment.provider]}` : 'paid at the counter'],
    ...(reference ? ([['Reference', reference]] satisfies [string, string][]) : []),
  ];
  let factY = 116;
  for (const [label, value] of rows) {
    pen.write(label, 318, factY, small);
    for (const line of pen.wrap(value, right - 384, { size: 9.5 })) {
      pen.write(line, 384, factY, { size: 9.5 });
      factY += 14;
    }
  }
  page.y = Math.max(y, factY) + 22;
}

/** The whole name, in letters as large as the band has room for: it is what makes the paper a receipt of somebody. */
function fitName(pen: ReceiptPen, name: string): { size: number; lines: string[] } {
  for (const [size, most] of [
    [20, 1],
    [15, 2],
  ] as const) {
    const lines = pen.wrap(name, 330, { size, weight: 700 });
    if (lines.length <= most) return { size, lines };
  }
  return { size: 11, lines: pen.wrap(name, 330, { size: 11, weight: 700 }) };
}

/** The pages after it. */
function drawSlimHead(page: Page, facts: OrderFacts, shop: ShopSettings): void {
  page.document.rect(0, 0, paper.width, 8).fill(shop.colour);
  const style = { size: 9.5, colour: paper.muted };
  const [name = ''] = page.pen.wrap(oneLine(shop.name), 330, style);
  page.pen.write(name, left, 40, style);
  page.pen.write(`Receipt ${facts.number}`, right, 40, { ...style, align: 'right' });
  page.y = 60;
}

/** Last, as only then is known how many pages there are. */
function drawFeet(document: InstanceType<typeof PDFDocument>, { pen }: Page, shop: ShopSettings): void {
  const { start, count } = document.bufferedPageRange();
  const style = { size: 8.5, colour: paper.muted };
  const [from = ''] = pen.wrap([shop.name, ...shop.addressLines].map(oneLine).join(' · '), 400, style);
  for (let index = start; index < start + count; index += 1) {
    document.switchToPage(index);
    document.moveTo(left, 796).lineTo(right, 796).lineWidth(0.5).stroke(paper.line);
    pen.write(from, left, 812, style);
    pen.write(`Page ${index + 1} of ${count}`, right, 812, { ...style, align: 'right' });
  }
}
