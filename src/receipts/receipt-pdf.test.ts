import { describe, expect, it } from 'vitest';
import { sampleOrders, sampleShop, sampleTax } from '../../scripts/sample-letters.ts';
import { type PdfText, readPdf } from '../../test/support/read-pdf.ts';
import type { OrderFacts } from '../domain/email.ts';
import { fontRuns } from './receipt-fonts.ts';
import { receiptPdf } from './receipt-pdf.ts';
import { shopFormat } from './shop-format.ts';

const format = shopFormat(sampleShop);
const a4 = { width: 595.28, height: 841.89 };

async function read(order: OrderFacts, shop = sampleShop, tax = sampleTax) {
  const pdf = await receiptPdf(order, shop, tax);
  return { pdf, ...readPdf(pdf) };
}
const joined = (page: PdfText[] = []) => page.map(({ text }) => text).join('\n');
/** What stands on one line, from left to right. */
const lineOf = (page: PdfText[], text: string) => {
  const found = page.find((one) => one.text === text);
  return page
    .filter(({ y }) => found && Math.abs(y - found.y) < 0.1)
    .sort((one, other) => one.x - other.x)
    .map(({ text }) => text.trim())
    .filter((text) => text !== '');
};

/** The width is without kerning: a little more than it takes. */
function expectTidy(pages: PdfText[][]): void {
  for (const page of pages)
    for (const { text, x, y, width } of page) {
      expect(x, text).toBeGreaterThan(47);
      expect(x + width, text).toBeLessThan(a4.width - 47);
      expect(y, text).toBeGreaterThan(20);
      expect(y, text).toBeLessThan(a4.height - 20);
      const isOver = page.filter((one) => Math.abs(one.y - y) < 6 && one.x > x && one.x < x + width - 3);
      expect(isOver, text).toEqual([]);
    }
}

describe('receiptPdf', () => {
  it('names the shop, the order, the customer, the payment and every item', async () => {
    const { pages } = await read(sampleOrders.usual);
    const [page = []] = pages;
    expect(pages).toHaveLength(1);
    for (const text of [
      'Corner Café',
      'Receipt 1042',
      '12 Harbour Lane',
      'Bristol BS1 4XY',
      'hello@corner-cafe.example',
      'Tax number GB 123 4567 89',
      'Ada Lovelace',
      'paid by Stripe',
      'pi_3SVtq2K8dJ4mW1xZ0a9bC7Yk',
      'Page 1 of 1',
    ])
      expect(joined(page).split('\n'), text).toContain(text);
    expect(lineOf(page, 'Placed')).toContain('22 Nov 2026, 14:58');
    expect(lineOf(page, 'Paid')).toContain('22 Nov 2026, 15:07');
    expect(lineOf(page, 'Flat white')).toEqual(['Flat white', '2', '£3.40', '£6.80']);
    expect(lineOf(page, 'Total paid')).toEqual(['Total paid', '£19.95']);
    expect(lineOf(page, 'VAT 20 %')).toEqual(['VAT 20 %', '£13.12', '£2.63', '£15.75']);
    expect(lineOf(page, 'VAT 0 %')).toEqual(['VAT 0 %', '£4.20', '£0.00', '£4.20']);
    expect(lineOf(page, 'Sum')).toEqual(['Sum', '£17.32', '£2.63', '£19.95']);
  });

  it('names the sku only where the name does not say it', async () => {
    const [item] = sampleOrders.usual.items;
    if (!item) throw new TypeError('no item');
    const items = [
      { ...item, name: 'Flat white', sku: 'flat-white' },
      { ...item, name: 'Chai Latte', sku: 'CHAI_2' },
      { ...item, name: 'Café crème', sku: 'cafe-creme' },
    ];
    const { pages } = await read({ ...sampleOrders.usual, items });
    const texts = joined(pages[0]).split('\n');
    expect(texts).toEqual(expect.arrayContaining(['CHAI_2', 'cafe-creme']));
    expect(texts).not.toContain('flat-white');
  });

  it('shows no tax when none is set', async () => {
    const { pages } = await read(
      sampleOrders.usual,
      { ...sampleShop, taxNumber: null },
      { ...sampleTax, rate: null, rateBySku: new Map() },
    );
    expect(joined(pages[0])).not.toMatch(/VAT|Tax number/);
  });

  it('says so when another amount was paid than the items come to', async () => {
    const { pages } = await read(sampleOrders.dinar);
    expect(lineOf(pages[0] ?? [], 'Items')).toEqual(['Items', 'KWD\u00a06.255']);
    expect(lineOf(pages[0] ?? [], 'Adjustment')).toEqual(['Adjustment', '-KWD\u00a00.255']);
    expect(lineOf(pages[0] ?? [], 'Total paid')).toEqual(['Total paid', 'KWD\u00a06.000']);
    expect(lineOf(pages[0] ?? [], 'VAT 20 %').at(-1)).toBe('KWD\u00a06.000');
  });

  it('goes over as many pages as it takes, each with its columns and its number, and leaves nothing out', async () => {
    const { pages } = await read(sampleOrders.hundred);
    expect(pages.length).toBeGreaterThan(2);
    for (const [index, page] of pages.entries()) {
      expect(joined(page)).toContain(`Page ${index + 1} of ${pages.length}`);
      expect(lineOf(page, 'Item')).toEqual(['Item', 'Qty', 'Each', 'Total']);
      expect(joined(page)).toContain('Receipt 1203118');
    }
    for (const item of sampleOrders.hundred.items) {
      const on = pages.filter((page) => page.some(({ text }) => text === item.name));
      expect(on, item.name).toHaveLength(1);
      expect(lineOf(on[0] ?? [], item.name)).toEqual([
        item.name,
        String(item.quantity),
        format.money(item.unitPrice),
        format.money(item.total),
      ]);
    }
  });

  it.each(Object.entries(sampleOrders))(
    'keeps everything on the paper, and nothing on top of another: %s',
    async (_, order) => {
      const long = { ...sampleShop, name: 'W'.repeat(60), addressLines: ['An address '.repeat(26)] };
      expectTidy((await read(order)).pages);
      const { pages } = await read(order, long);
      expectTidy(pages);
      expect(joined(pages[0]).replaceAll('\n', '')).toContain(long.name);
    },
  );

  it('keeps the longest name, sku and amounts in their columns', async () => {
    const amount = { amountMinor: 10_000_000_000_000, currency: 'GBP' };
    const items = [{ sku: 'S'.repeat(64), name: 'W'.repeat(200), quantity: 1000, unitPrice: amount, total: amount }];
    const { pages } = await read({ ...sampleOrders.single, items, total: amount });
    const names = pages.flat().filter(({ text }) => /^W+$/.test(text));
    expect(names.map(({ text }) => text).join('')).toBe('W'.repeat(200));
    expectTidy(pages);
  });

  it('writes names in the scripts it has letters for', async () => {
    const { pages } = await read(sampleOrders.scripts);
    const text = joined(pages[0]);
    for (const name of ['Чай с лимоном', 'Ελληνικός καφές', 'Żurek z kiełbasą, ğüşİı'])
      expect(text.replaceAll('\n', '')).toContain(name);
    const glued = text.replaceAll('\n', '');
    expect(glued).toContain('Cà phê sữa đá');
    expect(glued).toContain('मसाला चाय');
    // On paper from left to right: the last word first, in brackets that face each other.
    const hebrew = pages[0]?.find((one) => /^\p{Script=Hebrew}{4}$/u.test(one.text))?.text ?? '';
    const line = lineOf(pages[0] ?? [], hebrew);
    expect(line.map((word) => word.replace(/\p{Script=Hebrew}+/u, 'word'))).toEqual([
      '(',
      'word',
      ')',
      'word',
      'word',
      '1',
      '£4.20',
      '£4.20',
    ]);
    const lengths = line
      .filter((word) => /\p{L}/u.test(word))
      .slice(0, 3)
      .map((word) => word.length);
    expect(lengths).toEqual([4, 4, 3]); // גדול, הפוך, קפה
  });

  it('shows a stand-in for what it has no letters for, one for each', async () => {
    const { pages } = await read(sampleOrders.scripts);
    expect(joined(pages[0])).toContain('Coffee � with � and �');
    expect(joined(pages[0])).toContain('����');
    const shown = (text: string) => fontRuns(text, 400).map((run) => run.text);
    expect(shown('👩‍👩‍👧')).toEqual(['\ufffd']);
    expect(shown('A\ufe0f\u200bé')).toEqual(['Aé']); // what nobody sees is no character
  });

  it('is the same file, byte by byte, for the same facts', async () => {
    const first = await receiptPdf(sampleOrders.scripts, sampleShop, sampleTax);
    await receiptPdf(sampleOrders.hundred, sampleShop, sampleTax);
    const again = await receiptPdf(structuredClone(sampleOrders.scripts), sampleShop, sampleTax);
    expect(again.equals(first)).toBe(true);
  });

  it('is the same file after a refund', async () => {
    const { payment } = sampleOrders.usual;
    const refunded = payment && { ...payment, refunded: payment.captured };
    const before = await receiptPdf(sampleOrders.usual, sampleShop, sampleTax);
    const after = await receiptPdf({ ...sampleOrders.usual, payment: refunded }, sampleShop, sampleTax);
    expect(after.equals(before)).toBe(true);
  });

  it('is small, and says what it is, in which language, and when it was paid', async () => {
    const { pdf } = await read(sampleOrders.usual);
    const text = pdf.toString('latin1');
    expect(pdf.length).toBeLessThan(40_000);
    expect(text).toContain('(Receipt 1042)');
    expect(text).toContain('/Lang (en-GB)');
    expect(text).toContain('(D:20261122150742Z)');
  });
});
