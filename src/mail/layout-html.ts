import type { ShopSettings } from '../config-mail.ts';
import { inkOn } from '../receipts/colours.ts';
import { addressOf, languageOf } from '../receipts/shop-format.ts';
import { darkStyle, fontStack, paint } from './layout-style.ts';
import type { Block, Fact, Line, Message, MessageFacts, Total } from './messages/message.ts';

/** Gmail cuts what is longer off at 102 KB, and the end of a mail is where one unsubscribes. */
const maxBytes = 100_000;
/** Of a product's name as HTML: as it is; and shorter, where a hundred long ones would not fit. */
const nameBytes = [2_000, 400, 150];

/** The message for those who see mails as pages: tables with styles inline, which is what mail programs agree on. No images, no scripts. */
export async function layoutHtml(message: Message, links: MessageFacts['links'], shop: ShopSettings): Promise<string> {
  let html = '';
  for (const longest of nameBytes) {
    html = await fromMjml(documentOf(message, links, shop, longest));
    if (Buffer.byteLength(html) <= maxBytes) break;
  }
  return html;
}

async function fromMjml(document: string): Promise<string> {
  // Half a second and 50 MB to load, which only who sends mails should pay.
  const { default: mjml2html } = await import('mjml');
  const { html } = await mjml2html(document, {
    validationLevel: 'strict',
    keepComments: false,
    ignoreIncludes: true,
    fonts: {}, // otherwise a name such as Roboto is fetched from elsewhere
  });
  return html.replace(/\n\s+/g, '\n'); // no text of ours has a line break
}

function documentOf(message: Message, links: MessageFacts['links'], shop: ShopSettings, longest: number): string {
  return `<mjml lang="${escapeHtml(languageOf(shop))}" dir="ltr">
<mj-head>
  <mj-title>${escapeHtml(message.subject)}</mj-title>
  <mj-preview>${escapeHtml(message.preview)}</mj-preview>
  <mj-raw><meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark"></mj-raw>
  <mj-attributes>
    <mj-all font-family="${fontStack}" />
    <mj-text font-size="16px" line-height="24px" color="${paint.ink}" padding="0 32px 16px" />
    <mj-table font-size="16px" line-height="22px" color="${paint.ink}" padding="4px 32px 20px" />
    <mj-section padding="0" />
  </mj-attributes>
  <mj-style>${darkStyle}</mj-style>
</mj-head>
<mj-body width="600px" background-color="${paint.page}" css-class="page">
  <mj-section padding="12px 0"><mj-column></mj-column></mj-section>
  <mj-section background-color="${shop.colour}" border-radius="12px 12px 0 0"><mj-column>
    <mj-text padding="18px 32px" color="${inkOn(shop.colour)}" font-size="18px" font-weight="700">${escapeHtml(shop.name)}</mj-text>
  </mj-column></mj-section>
  <mj-section background-color="${paint.card}" border-radius="0 0 12px 12px" padding="32px 0 16px" css-class="card"><mj-column>
    ${message.blocks.map((block) => mjmlOf(block, shop, longest)).join('\n')}
  </mj-column></mj-section>
  <mj-section padding="20px 0 32px"><mj-column>
    ${footer(message, links, shop)}
  </mj-column></mj-section>
</mj-body>
</mjml>`;
}

function mjmlOf(block: Block, shop: ShopSettings, longest: number): string {
  switch (block.kind) {
    case 'heading':
      return `<mj-text css-class="ink" font-size="26px" line-height="32px" font-weight="700"><h1 style="margin:0;font-size:26px;line-height:32px">${escapeHtml(block.text)}</h1></mj-text>`;
    case 'paragraph':
      return `<mj-text css-class="ink">${escapeHtml(block.text)}</mj-text>`;
    case 'number':
      return `<mj-table css-class="ink" align="center"><tr><td class="tile" align="center" style="background:${paint.page};border-radius:12px;padding:18px 12px 20px"><span class="muted" style="font-size:14px;color:${paint.muted}">${escapeHtml(block.label)}</span><br><span style="font-size:56px;line-height:60px;font-weight:700;letter-spacing:1px">${escapeHtml(block.value)}</span></td></tr></mj-table>`;
    case 'quote':
      return `<mj-table css-class="ink"><tr><td class="line" style="border-left:4px solid ${paint.line};padding:2px 0 2px 14px;word-break:break-word"><span class="muted" style="font-size:14px;color:${paint.muted}">${escapeHtml(block.label)}</span><br><span dir="auto">${escapeHtml(block.text).replaceAll('\n', '<br>')}</span></td></tr></mj-table>`;
    case 'button':
      return `<mj-button href="${escapeHtml(block.url)}" background-color="${shop.colour}" color="${inkOn(shop.colour)}" font-size="16px" font-weight="700" border-radius="8px" inner-padding="14px 28px" padding="4px 32px 8px">${escapeHtml(block.label)}</mj-button>
<mj-text css-class="muted" color="${paint.muted}" font-size="14px" line-height="20px" align="center">${escapeHtml(block.hint)}</mj-text>`;
    case 'facts':
      return `<mj-table css-class="ink" font-size="14px" line-height="20px">${block.facts.map(factRow).join('')}</mj-table>`;
    case 'lines':
      return `<mj-table css-class="ink">${block.lines.map((line) => lineRow(line, longest)).join('')}${block.totals.map(totalRow).join('')}</mj-table>`;
  }
}

const cell = `border-bottom:1px solid ${paint.line};padding:9px 0`;

function lineRow({ quantity, name, each, amount }: Line, longest: number): string {
  const below = each
    ? `<br><span class="muted" style="font-size:14px;color:${paint.muted}">${escapeHtml(each)}</span>`
    : '';
  return `<tr valign="top"><td class="line" style="${cell};white-space:nowrap;width:1%">${quantity} ×</td><td class="line" style="${cell} 9px 10px;word-break:break-word"><span dir="auto">${escapeWithin(name, longest)}</span>${below}</td><td class="line" align="right" style="${cell};white-space:nowrap">${escapeHtml(amount)}</td></tr>`;
}

function totalRow({ label, amount, isStrong }: Total): string {
  const style = `padding:${isStrong ? '12px 0 2px;font-weight:700;font-size:18px' : '2px 0'}`;
  return `<tr><td colspan="2" style="${style}">${escapeHtml(label)}</td><td align="right" style="${style};white-space:nowrap">${escapeHtml(amount)}</td></tr>`;
}

function factRow({ label, value }: Fact): string {
  return `<tr valign="top"><td class="muted" style="color:${paint.muted};padding:2px 16px 2px 0;white-space:nowrap;width:1%">${escapeHtml(label)}</td><td style="padding:2px 0;word-break:break-word"><span dir="auto">${escapeHtml(value)}</span></td></tr>`;
}

function footer(message: Message, links: MessageFacts['links'], shop: ShopSettings): string {
  const link = (url: string, label: string) =>
    `<a class="muted" href="${escapeHtml(url)}" style="color:${paint.footer};text-decoration:underline">${escapeHtml(label)}</a>`;
  const name = links.shop ? link(links.shop, shop.name) : escapeHtml(shop.name);
  const lines = [
    [name, ...shop.addressLines.map(escapeHtml)].join(' · '),
    ...(shop.email ? [link(`mailto:${addressOf(shop.email)}`, addressOf(shop.email))] : []),
    escapeHtml(message.because),
    ...(links.unsubscribe ? [link(links.unsubscribe, 'Unsubscribe from news of orders')] : []),
  ];
  return lines
    .map(
      (line) =>
        `<mj-text css-class="muted" align="center" font-size="13px" line-height="19px" color="${paint.footer}" padding="0 32px 8px">${line}</mj-text>`,
    )
    .join('\n');
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

/** Escaped, and cut between characters where it would be longer than that. */
function escapeWithin(text: string, longest: number): string {
  const whole = escapeHtml(text);
  if (Buffer.byteLength(whole) <= longest) return whole;
  let cut = '';
  for (const { segment } of new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text)) {
    const next = cut + escapeHtml(segment);
    if (Buffer.byteLength(next) > longest - 3) break;
    cut = next;
  }
  return `${cut}…`;
}
