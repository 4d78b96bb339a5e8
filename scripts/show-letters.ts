/** Writes samples of every mail and receipt into a folder to look at, with the name, colour and taxes of the environment. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs, parseEnv } from 'node:util';
import { chromium } from 'playwright-core';
import { ensureDebianPackage } from '../sandbox/debian-package.ts';
import { readConfig } from '../src/config.ts';
import type { ShopSettings } from '../src/config-mail.ts';
import { type EmailKind, emailKinds, newsKinds, type OrderFacts } from '../src/domain/email.ts';
import type { MessageFacts } from '../src/mail/messages/message.ts';
import { renderMessage } from '../src/mail/render-message.ts';
import { receiptPdf } from '../src/receipts/receipt-pdf.ts';
import { sampleOrders, sampleShop, sampleTax } from './sample-letters.ts';

const usage = `npm run letters -- [--out FOLDER] [--pictures]

Writes every mail, as HTML and text, and receipts as PDF into a folder (.data/letters), as they look with your SHOP_… and TAX_… settings
(of the environment, or of .env). --pictures also takes pictures of the mails in Chromium: wide and narrow, light and dark.

  npm run letters
  SHOP_NAME='Café Zum Löwen' SHOP_COLOUR=7a3b1d npm run letters -- --pictures`;

const values = readArguments();
mkdirSync(values.out, { recursive: true });

/** Of the environment, where it says something; else those of the samples. */
function readShop() {
  const root = path.dirname(import.meta.dirname);
  const file = path.join(root, '.env');
  const said = { ...(existsSync(file) && parseEnv(readFileSync(file, 'utf8'))), ...process.env };
  const ours = Object.entries(said).filter(([name, value]) => /^(SHOP|TAX)_/.test(name) && value);
  if (ours.length === 0) return { shop: sampleShop, tax: sampleTax };
  const variables = { ...Object.fromEntries(ours), ENV: 'development', DATABASE_URL: 'postgres://127.0.0.1/none' };
  return readConfig(variables).mail;
}

function readArguments(): { out: string; pictures: boolean } {
  const options = {
    out: { type: 'string', default: '.data/letters' },
    pictures: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  } as const;
  try {
    const { values } = parseArgs({ options });
    if (!values.help) return values;
    console.log(usage);
    process.exit(0);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}

const { shop, tax } = readShop();
const yellow: ShopSettings = {
  ...sampleShop,
  name: 'Zitrone',
  colour: '#ffd84d',
  locale: 'de-DE',
  timeZone: 'Europe/Berlin',
};
const tokyo: ShopSettings = { ...sampleShop, locale: 'en-JP', timeZone: 'Asia/Tokyo' };

const letters: [name: string, kind: EmailKind, order: OrderFacts, shop: ShopSettings][] = [
  ...emailKinds.map((kind) => [kind, kind, sampleOrders.usual, shop] satisfies (typeof letters)[number]),
  ['single', 'order_ready', sampleOrders.single, yellow],
  ['hundred', 'receipt', sampleOrders.hundred, shop],
  ['hostile', 'order_confirmed', sampleOrders.hostile, shop],
  ['scripts', 'order_confirmed', sampleOrders.scripts, shop],
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
      standing: 'https://shop.example/v1/checkout/success?order=1042',
      shop: 'https://shop.example/',
    },
    cancelled: { by: 'manager', reason: 'We are out of avocados today, sorry.' },
    refund: {
      amount: { amountMinor: Math.floor(amountMinor / 4), currency },
      total: { amountMinor: Math.floor(amountMinor / 2), currency },
      reason: 'One of the loaves was burnt.',
    },
  };
}

const pages: string[] = [];
for (const [name, kind, order, itsShop] of letters) {
  const start = performance.now();
  const { subject, text, html } = await renderMessage(kind, factsOf(kind, order), itsShop);
  const tookMs = performance.now() - start;
  writeFileSync(path.join(values.out, `${name}.txt`), `Subject: ${subject}\n\n${text}`);
  writeFileSync(path.join(values.out, `${name}.html`), html);
  pages.push(name);
  console.log(`${name}: ${subject} (${Math.ceil(Buffer.byteLength(html) / 1024)} KB, ${tookMs.toFixed(1)} ms)`);
}
for (const [name, order] of Object.entries(sampleOrders)) {
  const start = performance.now();
  const pdf = await receiptPdf(order, name === 'yen' ? tokyo : name === 'single' ? yellow : shop, tax);
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
