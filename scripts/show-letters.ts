/**
 * Writes samples of every mail and receipt into a folder to look at: `node scripts/run.mjs scripts/show-letters.ts --out .data/letters`.
 * `--pictures` also takes pictures of the mails, wide and narrow, light and dark.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { ensureDebianPackage } from '../sandbox/debian-package.ts';
import type { ShopSettings } from '../src/config-mail.ts';
import { type EmailKind, emailKinds, newsKinds, type OrderFacts } from '../src/domain/email.ts';
import type { MessageFacts } from '../src/mail/messages/message.ts';
import { renderMessage } from '../src/mail/render-message.ts';
import { receiptPdf } from '../src/receipts/receipt-pdf.ts';
import { sampleOrders, sampleShop, sampleTax } from './sample-letters.ts';

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: '.data/letters' },
    pictures: { type: 'boolean', default: false },
  },
});
mkdirSync(values.out, { recursive: true });

const yellow: ShopSettings = {
  ...sampleShop,
  name: 'Zitrone',
  colour: '#ffd84d',
  locale: 'de-DE',
  timeZone: 'Europe/Berlin',
};
const tokyo: ShopSettings = { ...sampleShop, locale: 'en-JP', timeZone: 'Asia/Tokyo' };

const letters: [name: string, kind: EmailKind, order: OrderFacts, shop: ShopSettings][] = [
  ...emailKinds.map((kind) => [kind, kind, sampleOrders.usual, sampleShop] satisfies (typeof letters)[number]),
  ['single', 'order_ready', sampleOrders.single, yellow],
  ['hundred', 'receipt', sampleOrders.hundred, sampleShop],
  ['hostile', 'order_confirmed', sampleOrders.hostile, sampleShop],
  ['scripts', 'order_confirmed', sampleOrders.scripts, sampleShop],
  ['yen', 'receipt', sampleOrders.yen, tokyo],
  ['dinar', 'order_refunded', sampleOrders.dinar, yellow],
];

function factsOf(kind: EmailKind, order: OrderFacts): MessageFacts {
  const { currency, amountMinor } = order.total;
  return {
    order,
    links: {
      receipt: order.payment
        ? { url: 'https://shop.example/v1/files/receipt?signature=a&ends=1', endsAt: new Date('2026-12-22T15:00:00Z') }
        : null,
      unsubscribe: newsKinds.includes(kind) ? 'https://shop.example/v1/mail/unsubscribe?token=abc' : null,
      shop: 'https://shop.example/',
    },
    cancelled: { by: 'manager', reason: 'We are out of avocados today, sorry.' },
    refund: {
      amount: { amountMinor: Math.floor(amountMinor / 4), currency },
      total: { amountMinor: Math.floor(amountMinor / 2), currency },
    },
  };
}

const pages: string[] = [];
for (const [name, kind, order, shop] of letters) {
  const start = performance.now();
  const { subject, text, html } = await renderMessage(kind, factsOf(kind, order), shop);
  const tookMs = performance.now() - start;
  writeFileSync(path.join(values.out, `${name}.txt`), `Subject: ${subject}\n\n${text}`);
  writeFileSync(path.join(values.out, `${name}.html`), html);
  pages.push(name);
  console.log(`${name}: ${subject} (${Math.ceil(Buffer.byteLength(html) / 1024)} KB, ${tookMs.toFixed(1)} ms)`);
}
for (const [name, order] of Object.entries(sampleOrders)) {
  const start = performance.now();
  const pdf = await receiptPdf(order, name === 'yen' ? tokyo : name === 'single' ? yellow : sampleShop, sampleTax);
  const tookMs = performance.now() - start;
  writeFileSync(path.join(values.out, `receipt-${name}.pdf`), pdf);
  console.log(`receipt-${name}.pdf (${Math.ceil(pdf.length / 1024)} KB, ${tookMs.toFixed(1)} ms)`);
}

if (values.pictures) {
  const installed = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
  const executablePath = existsSync(installed) ? installed : await ensureDebianPackage('chromium', 'chromium');
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    for (const colorScheme of ['light', 'dark'] as const)
      for (const width of [600, 375]) {
        const page = await browser.newPage({ viewport: { width, height: 600 }, colorScheme });
        for (const name of pages) {
          await page.goto(pathToFileURL(path.resolve(values.out, `${name}.html`)).href);
          await page.screenshot({ path: path.join(values.out, `${name}-${width}-${colorScheme}.png`), fullPage: true });
        }
        await page.close();
      }
  } finally {
    await browser.close();
  }
}
console.log(`look into ${values.out}`);
