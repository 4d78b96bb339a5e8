import { describe, expect, it } from 'vitest';
import { sampleOrders, sampleShop } from '../../scripts/sample-letters.ts';
import { type EmailKind, emailKinds, type OrderFacts } from '../domain/email.ts';
import { contrast } from '../receipts/colours.ts';
import { shopFormat } from '../receipts/shop-format.ts';
import { darkPaint, paint } from './layout-style.ts';
import { textWidth } from './layout-text-width.ts';
import type { MessageFacts } from './messages/message.ts';
import { renderMessage } from './render-message.ts';

const receiptUrl = 'https://shop.example/v1/files/r.pdf?ends=1&signature="x';
const unsubscribeUrl = 'https://shop.example/v1/mail/unsubscribe?address=a%40b.example&signature=y';
const standingUrl = 'https://shop.example/v1/checkout/success?order=1042';
const shopUrl = 'https://shop.example/';
const format = shopFormat(sampleShop);

function factsOf(order: OrderFacts, more: Partial<MessageFacts> = {}): MessageFacts {
  const { currency } = order.total;
  return {
    order,
    links: {
      receipt: { url: receiptUrl, endsAt: new Date('2026-12-22T15:00:00Z') },
      unsubscribe: unsubscribeUrl,
      standing: standingUrl,
      shop: shopUrl,
    },
    cancelled: { by: 'manager', reason: 'Out of avocados' },
    refund: { amount: { amountMinor: 321, currency }, total: { amountMinor: 654, currency }, reason: null },
    ...more,
  };
}

const render = (kind: EmailKind, order: OrderFacts, more: Partial<MessageFacts> = {}, shop = sampleShop) =>
  renderMessage(kind, factsOf(order, more), shop);

/** Without what is for Outlook alone, which is no text. */
const tagsOf = (html: string) => html.replace(/<!--[\s\S]*?-->/g, '').match(/<[^>]+>/g) ?? [];

/** What is read of a page. */
function readingOf(html: string): string {
  const body = html.slice(html.indexOf('<body')).replace(/<!--[\s\S]*?-->/g, '');
  return decoded(body.replace(/<br>/g, '\n').replace(/<[^>]+>/g, '\n'));
}
const decoded = (text: string) =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
const hrefsOf = (html: string) => [...html.matchAll(/href="([^"]*)"/g)].map(([, href = '']) => decoded(href));
const words = (text: string) => text.replace(/[\u2066-\u2069]/g, '').replace(/\s+/g, ' ');
const numbersOf = (text: string) => new Set(text.replace(/https?:\S+/g, '').match(/\d[\d.,:]*\d|\d/g) ?? []);

describe.each(emailKinds)('%s', (kind) => {
  it.each(Object.entries(sampleOrders))('says the same in text and in HTML: %s', async (_, order) => {
    const { text, html, subject } = await render(kind, order);
    const read = words(readingOf(html));
    const plain = words(text.replace(/^> /gm, ''));
    for (const item of order.items) {
      expect(read).toContain(format.money(item.total).replace('\u00a0', ' '));
      expect(plain).toContain(format.money(item.total).replace('\u00a0', ' '));
    }
    expect(numbersOf(plain)).toEqual(numbersOf(read));
    expect(subject).toMatch(/^[^\r\n]+$/);
    expect(subject).toContain(String(order.number));
  });

  it('holds every item, the total, whom it is for and from whom', async () => {
    const { text, html } = await render(kind, sampleOrders.usual);
    for (const part of [words(text), words(readingOf(html))]) {
      for (const { name } of sampleOrders.usual.items) expect(part).toContain(name);
      for (const fact of [
        '£19.95',
        'Ada Lovelace',
        'Corner Café',
        '12 Harbour Lane',
        'hello@corner-cafe.example',
        '1042',
      ])
        expect(part, fact).toContain(fact);
    }
  });

  it('shows what others have typed as they typed it, and runs none of it', async () => {
    const { html } = await render(kind, sampleOrders.hostile, {
      cancelled: { by: 'manager', reason: '<b onclick=x>' },
    });
    for (const { name } of sampleOrders.hostile.items) expect(words(readingOf(html))).toContain(words(name));
    for (const tag of tagsOf(html)) {
      expect(tag).toMatch(/^<(!doctype|\/?(html|head|title|meta|style|body|div|table|tbody|tr|td|h1|span|br|p|a))\b/i);
      expect(tag).not.toMatch(/\son\w+=|javascript:/i);
    }
    const ours = [receiptUrl, unsubscribeUrl, standingUrl, shopUrl, 'mailto:hello@corner-cafe.example'];
    for (const href of hrefsOf(html)) expect(ours).toContain(href);
  });

  it('fetches nothing from anywhere', async () => {
    const { html } = await render(kind, sampleOrders.usual);
    expect(html).not.toMatch(/<(img|link|script|iframe|object|video)\b|\ssrc=|url\(|@import|@font-face/i);
    const links = new Set([...hrefsOf(html), 'http://www.w3.org/1999/xhtml']);
    for (const [url] of decoded(html).matchAll(/https?:\/\/[^\s"'<>]+/g))
      expect(
        [...links].some((link) => link.startsWith(url)),
        url,
      ).toBe(true);
  });

  it('is a good read as text: no line wider than 76 columns but an address, amounts below each other', async () => {
    for (const order of Object.values(sampleOrders)) {
      const { text } = await render(kind, order);
      const lines = text.split('\n');
      for (const line of lines) if (!line.startsWith('http')) expect(textWidth(line), line).toBeLessThanOrEqual(76);
      const rows = lines.filter((line) => /^ *\d+ × .*\d/.test(line) || /^Total /.test(line));
      expect(rows).toHaveLength(order.items.length + 1);
      expect(new Set(rows.map(textWidth)).size).toBe(1);
    }
  });

  it('is the same, to the letter, for the same facts', async () => {
    expect(await render(kind, sampleOrders.scripts)).toEqual(await render(kind, structuredClone(sampleOrders.scripts)));
  });

  it('ends with how to get no more of these, when that is possible', async () => {
    const facts = factsOf(sampleOrders.usual);
    const { text, html } = await render(kind, sampleOrders.usual);
    expect(text).toContain(unsubscribeUrl);
    expect(hrefsOf(html)).toContain(unsubscribeUrl);
    const without = await render(kind, sampleOrders.usual, { links: { ...facts.links, unsubscribe: null } });
    expect(without.text + without.html).not.toMatch(/unsubscribe/i);
  });

  it('tells programs its language, its colours and what it is about', async () => {
    const { subject, html } = await render(kind, sampleOrders.usual);
    expect(html).toContain('<html lang="en-GB" dir="ltr"');
    expect(html).toContain('<meta name="color-scheme" content="light dark">');
    expect(html).toContain('@media (prefers-color-scheme: dark)');
    expect(decoded(html)).toContain(`<title>${subject}</title>`);
    expect((await render(kind, sampleOrders.usual, {}, { ...sampleShop, locale: 'de-DE' })).html).toContain(
      '<html lang="en"',
    );
  });
});

it.each([
  ['&', 200],
  ['👩‍👩‍👧', 25],
  ['抹', 200],
  ['tea', 1],
])('stays below where Gmail cuts, with a hundred items and whatever they are called: %s', async (part, times) => {
  const name = part.repeat(times);
  const { html, text } = await render('order_confirmed', {
    ...sampleOrders.hundred,
    items: sampleOrders.hundred.items.map((item) => ({ ...item, name })),
    note: '"'.repeat(1_000),
    customerName: '"'.repeat(200),
  });
  expect(Buffer.byteLength(html)).toBeLessThan(102_000);
  const read = readingOf(html);
  for (const { total } of sampleOrders.hundred.items) expect(read).toContain(format.money(total));
  expect(html).toMatch(/<\/html>\s*$/);
  expect(read.split(times > 1 ? '…' : name)).toHaveLength(101); // cut a hundred times, or not once
  expect(text.split(part).length - 1).toBeGreaterThanOrEqual(100 * times); // nothing cuts the text
});

it.each(['order_ready', 'receipt'] as const)('%s links to the receipt, and says until when', async (kind) => {
  const { text, html } = await render(kind, sampleOrders.usual);
  expect(text.split('\n')).toContain(receiptUrl);
  expect(hrefsOf(html)).toContain(receiptUrl);
  for (const part of [text, readingOf(html)]) expect(part).toContain('22 Dec 2026, 15:00');
  const without = await render(kind, sampleOrders.usual, {
    links: { receipt: null, unsubscribe: null, standing: null, shop: null },
  });
  expect(hrefsOf(without.html)).toEqual(['mailto:hello@corner-cafe.example']);
  expect(without.text).not.toContain('https:');
});

it.each([
  [{ by: 'system', reason: 'payment_expired' }, 'it was not paid in time'],
  [{ by: 'system', reason: 'payment_declined' }, 'the payment was declined'],
  [{ by: 'system', reason: 'payment_refused' }, 'the payment could not be made'],
  [{ by: 'system', reason: 'payment_refunded' }, 'its payment was given back'],
  [{ by: 'system', reason: 'authorisation_lost' }, 'no longer holds the money'],
  [{ by: 'system', reason: 'a code of tomorrow' }, 'it could not go on'],
  [{ by: 'system', reason: 'constructor' }, 'it could not go on'],
  [{ by: 'customer', reason: null }, 'you asked for it'],
  [{ by: 'customer', reason: 'Too late for me' }, 'Too late for me'],
  [{ by: 'manager', reason: 'Out of avocados' }, 'Out of avocados'],
  [{ by: 'manager', reason: null }, 'the shop could not go on with it'],
] as const)('says in words why an order was cancelled: %o', async (cancelled, why) => {
  const { text, html } = await render('order_cancelled', sampleOrders.usual, { cancelled });
  for (const part of [words(text), words(readingOf(html))]) {
    expect(part).toContain(why);
    expect(part).not.toMatch(/payment_|authorisation_|a code of/);
  }
});

it.each([
  ['nothing was taken', { captured: 0, refunded: 0 }, 'You have not been charged.'],
  ['it goes back', { captured: 1995, refunded: 0 }, 'The £19.95 you had paid is given back; we write again'],
  ['it has gone back', { captured: 1995, refunded: 1995 }, 'The £19.95 you had paid has been given back.'],
])('says of a cancelled order where its money is: %s', async (_, { captured, refunded }, says) => {
  const money = (amountMinor: number) => ({ amountMinor, currency: 'GBP' });
  const { payment } = sampleOrders.usual;
  const order = {
    ...sampleOrders.usual,
    payment: payment && { ...payment, captured: money(captured), refunded: money(refunded) },
  };
  expect(words((await render('order_cancelled', order)).text)).toContain(says);
});

it('says how to pay, when that is at the counter', async () => {
  expect((await render('order_confirmed', sampleOrders.single)).text).toContain('You pay at the counter');
  expect((await render('order_ready', sampleOrders.single)).text).toContain('Please pay £2.40 when you pick it up.');
  expect((await render('order_ready', sampleOrders.usual)).text).not.toContain('Please pay');
  expect((await render('order_cancelled', sampleOrders.single)).text).toContain('You have nothing to pay.');
});

it('says that money is reserved as long as it is not taken', async () => {
  const { payment, total } = sampleOrders.usual;
  const held = {
    ...sampleOrders.usual,
    payment: payment && { ...payment, captured: { ...total, amountMinor: 0 }, capturedAt: null },
  };
  const { text } = await render('order_confirmed', held);
  expect(words(text)).toContain('The amount is reserved with Stripe and taken when your order is ready.');
  expect(text).toMatch(/Payment: reserved with Stripe\n/);
  expect(text).not.toContain('It is paid.');
});

it('says of an order that the shop has cancelled the reason, and else that there is none', async () => {
  const says = async (reason: string | null) =>
    words((await render('order_cancelled', sampleOrders.usual, { cancelled: { by: 'manager', reason } })).text);
  expect(await says('Out of avocados')).toContain(
    'Your order 1042 was cancelled by the shop. The reason given: > Out of avocados',
  );
  expect(await says(' ')).toContain('Your order 1042 was cancelled: the shop could not go on with it.');
});

it('leads to where a confirmed order stands', async () => {
  const { text, html } = await render('order_confirmed', sampleOrders.usual);
  expect(text).toContain(`See where it stands:\n${standingUrl}\n`);
  expect(hrefsOf(html)).toContain(standingUrl);
});

it('says why money goes back, in the words of the shop', async () => {
  const money = { amountMinor: 321, currency: 'GBP' };
  const says = async (reason: string | null) =>
    words(
      (await render('order_refunded', sampleOrders.usual, { refund: { amount: money, total: money, reason } })).text,
    );
  expect(await says('A cup was broken')).toContain('The reason given: > A cup was broken');
  expect(await says(null)).not.toContain('reason');
});

it('tells this refund and all of them', async () => {
  const { subject, text } = await render('order_refunded', sampleOrders.usual);
  expect(subject).toBe('£3.21 refunded for order 1042');
  expect(text).toMatch(/This refund: +£3\.21\nRefunded in all: £6\.54\nYou had paid: +£19\.95/);
});

it('tells what was paid, where that is not what the items come to', async () => {
  const { subject, text } = await render('receipt', sampleOrders.dinar);
  expect(subject).toBe('Receipt for order 89: KWD\u00a06.000');
  expect(text).toMatch(/\nTotal +KWD\u00a06\.255\nPaid +KWD\u00a06\.000\n/);
});

it('calls the customer by the name on the order, else by that of the account, else by none', async () => {
  const named = async (customerName: string | null, displayName: string) =>
    (await render('order_ready', { ...sampleOrders.usual, customerName, displayName })).text;
  expect(await named('Grace', 'Ada')).toContain('Hello Grace,');
  expect(await named(null, 'Ada')).toContain('Hello Ada,');
  expect(await named(' \n', 'Ada')).toContain('Hello Ada,');
  expect(await named(null, '')).toContain('\nHello,\n');
  expect(await named('יעל', 'Ada')).toContain('Hello \u2068יעל\u2069,');
});

it("writes on the shop's colour in black or white, whichever can be read", async () => {
  const on = async (colour: string) => {
    const { html } = await render('receipt', sampleOrders.usual, {}, { ...sampleShop, colour });
    const band = /color:(#[0-9a-f]{6});"\s*>Corner Café<\/div>/.exec(html)?.[1];
    const button = /;color:(#[0-9a-f]{6});[^"]*"[^>]*>\s*Open the receipt/.exec(html)?.[1];
    return [band, button];
  };
  expect(await on('#ffd84d')).toEqual(['#000000', '#000000']);
  expect(await on('#1f6f54')).toEqual(['#ffffff', '#ffffff']);
});

it('has greys that can be read, by day and in the dark', () => {
  for (const [ink, ground] of [
    [paint.ink, paint.card],
    [paint.muted, paint.card],
    [paint.muted, paint.page],
    [paint.ink, paint.page],
    [darkPaint.ink, darkPaint.card],
    [darkPaint.muted, darkPaint.card],
    [darkPaint.muted, darkPaint.tile],
    [darkPaint.muted, darkPaint.page],
  ] as const)
    expect(contrast(ink, ground), `${ink} on ${ground}`).toBeGreaterThanOrEqual(4.5);
});
