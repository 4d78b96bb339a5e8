/** Orders to look at mails and receipts with: the usual one, and those that letters break on. */
import type { ShopSettings, TaxSettings } from '../src/config-mail.ts';
import type { OrderFacts } from '../src/domain/email.ts';
import type { OrderItem } from '../src/domain/order.ts';

export const sampleShop: ShopSettings = {
  name: 'Corner Café',
  colour: '#1f6f54',
  addressLines: ['12 Harbour Lane', 'Bristol BS1 4XY'],
  email: 'hello@corner-cafe.example',
  taxNumber: 'GB 123 4567 89',
  locale: 'en-GB',
  timeZone: 'Europe/London',
};

export const sampleTax: TaxSettings = { name: 'VAT', rate: 20, rateBySku: new Map([['banana-bread', 0]]) };

function item(sku: string, name: string, quantity: number, unitMinor: number, currency = 'GBP'): OrderItem {
  return {
    sku,
    name,
    quantity,
    unitPrice: { amountMinor: unitMinor, currency },
    total: { amountMinor: quantity * unitMinor, currency },
  };
}

function order(items: OrderItem[], facts: Partial<OrderFacts> = {}): OrderFacts {
  const total = {
    amountMinor: items.reduce((sum, { total }) => sum + total.amountMinor, 0),
    currency: items[0]?.total.currency ?? 'GBP',
  };
  return {
    number: 1042,
    items,
    total,
    customerName: 'Ada Lovelace',
    displayName: 'Ada',
    placedAt: new Date('2026-11-22T14:58:11Z'),
    completedAt: new Date('2026-11-22T15:07:40Z'),
    note: null,
    payment: {
      provider: 'stripe',
      reference: 'pi_3SVtq2K8dJ4mW1xZ0a9bC7Yk',
      captured: total,
      capturedAt: new Date('2026-11-22T15:07:42Z'),
      refunded: { ...total, amountMinor: 0 },
    },
    ...facts,
  };
}

const manyItems = Array.from({ length: 100 }, (_, index) =>
  item(
    `item-${index + 1}`,
    `${['Flat white', 'Sourdough loaf', 'Jar of damson jam', 'Oat biscuits'][index % 4]} ${index + 1}`,
    (index % 7) + 1,
    120 + index * 35,
  ),
);

export const sampleOrders = {
  usual: order(
    [
      item('flat-white', 'Flat white', 2, 340),
      item('banana-bread', 'Banana bread', 1, 420),
      item('avocado-toast', 'Avocado toast with a poached egg', 1, 895),
    ],
    { note: 'One of the flat whites with oat milk, please.\nWe sit outside.' },
  ),
  single: order([item('espresso', 'Espresso', 1, 240)], { number: 7, customerName: null, payment: null }),
  hundred: order(manyItems, { number: 1_203_118 }),
  hostile: order(
    [
      item('<b>sku</b>', '<script>alert("1")</script> & <img src=x onerror=alert(1)>', 1, 100),
      item('mjml', '</td></mj-table><mj-include path="/etc/hosts" /> {{ name }} <!-- -->', 3, 250),
      item(
        'long',
        'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft'.repeat(2),
        1,
        1999,
      ),
      item('two-lines', 'First line\r\nBcc: someone@elsewhere.example', 1, 5),
    ],
    {
      customerName: 'Robert"); DROP TABLE orders;-- <a href="https://elsewhere.example">you won</a>',
      note: '<style>*{display:none}</style>\n"quoted" \u202Ereversed',
    },
  ),
  scripts: order(
    [
      item('emoji', 'Coffee ☕️ with 👩‍👩‍👧 and 🇪🇺', 2, 340),
      item('hebrew', 'קפה הפוך (גדול)', 1, 420),
      item('arabic', 'قهوة عربية مع الهيل', 10, 895),
      item('mixed', 'Tea שלום כיתה tea', 1, 895),
      item('russian', 'Чай с лимоном', 1, 150),
      item('greek', 'Ελληνικός καφές', 1, 150),
      item('vietnamese', 'Cà phê sữa đá', 1, 150),
      item('hindi', 'मसाला चाय', 1, 150),
      item('japanese', '抹茶ラテ', 1, 150),
      item('polish', 'Żurek z kiełbasą, ğüşİı', 1, 150),
    ],
    { customerName: 'יעל כהן', number: 1043 },
  ),
  yen: order([item('matcha', 'Matcha latte', 3, 650, 'JPY'), item('anpan', 'Anpan', 2, 280, 'JPY')], { number: 88 }),
  dinar: order([item('karak', 'Karak tea', 2, 1_250, 'KWD'), item('kunafa', 'Kunafa', 1, 3_755, 'KWD')], {
    number: 89,
    payment: {
      provider: 'paypal',
      reference: '8MC585209K746392H',
      captured: { amountMinor: 6_000, currency: 'KWD' },
      capturedAt: new Date('2026-11-22T15:07:42Z'),
      refunded: { amountMinor: 0, currency: 'KWD' },
    },
  }),
} satisfies Record<string, OrderFacts>;
