/**
 * Writes docs/examples/a-saturday.csv: a Saturday of a small café that does not exist, the same one each time.
 * `node scripts/make-saturday.ts`
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';

const orderCount = 1_200;
const day = '2026-03-07'; // a Saturday
const seed = 20_260_307;

/** How busy the café is from a given hour on, relative to a plain hour: it opens at 7 and closes at 18. */
const rushes: [fromHour: number, weight: number][] = [
  [7, 0.5],
  [7.5, 1.1],
  [8.25, 2.2],
  [9.5, 1.7],
  [10.5, 1],
  [11.75, 1.9],
  [12.25, 2.3],
  [13.5, 1.2],
  [14.25, 0.6],
  [15.5, 0.9],
  [16.5, 0.6],
  [17.25, 0.3],
];
const closesAtHour = 18;

interface Offer {
  sku: string;
  price: string;
  /** How often it is chosen in the morning, around noon and in the afternoon. */
  appeal: [morning: number, noon: number, afternoon: number];
}

const drinks: Offer[] = [
  { sku: 'espresso', price: '2.40', appeal: [14, 10, 9] },
  { sku: 'flat-white', price: '3.80', appeal: [22, 10, 12] },
  { sku: 'cappuccino', price: '3.60', appeal: [20, 8, 12] },
  { sku: 'filter-coffee', price: '2.90', appeal: [14, 8, 7] },
  { sku: 'hot-chocolate', price: '3.90', appeal: [4, 3, 9] },
  { sku: 'chai-latte', price: '4.10', appeal: [4, 3, 8] },
  { sku: 'orange-juice', price: '4.20', appeal: [8, 6, 4] },
  { sku: 'lemonade', price: '3.70', appeal: [1, 14, 11] },
];
const dishes: Offer[] = [
  { sku: 'croissant', price: '2.60', appeal: [22, 4, 6] },
  { sku: 'pain-au-chocolat', price: '2.90', appeal: [13, 3, 6] },
  { sku: 'cinnamon-roll', price: '3.40', appeal: [8, 4, 13] },
  { sku: 'banana-bread', price: '3.50', appeal: [5, 4, 12] },
  { sku: 'granola-bowl', price: '6.90', appeal: [9, 3, 1] },
  { sku: 'avocado-toast', price: '8.90', appeal: [7, 11, 2] },
  { sku: 'grilled-cheese', price: '7.50', appeal: [0, 17, 4] },
  { sku: 'soup-of-the-day', price: '6.50', appeal: [0, 16, 3] },
];

const regulars = ['Ada', 'Bruno', 'Carla', 'Deniz', 'Edda', 'Farid', 'Greta', 'Hugo', 'Ines', 'Jonas', 'Kaya', 'Luca'];
const guests = ['Mara', 'Nils', 'Olga', 'Pavel', 'Quinn', 'Rosa', 'Sami', 'Tilda', 'Uwe', 'Vera', 'Wim', 'Yara', 'Zoe'];

export function makeSaturday(): string {
  const random = seededRandom(seed);
  const times = Array.from({ length: orderCount }, () => openingSecond(random)).sort((one, other) => one - other);
  const lines = ['placed_at,order_ref,customer,lane,sku,quantity,unit_price'];
  for (const [index, second] of times.entries()) {
    const isVip = random() < 0.1; // the café's club: they ordered ahead
    const named = isVip ? regulars : random() < 0.55 ? guests : [];
    const customer = named[Math.floor(random() * named.length)] ?? '';
    const order = [
      `${day} ${clock(second)}`,
      `S-${String(index + 1).padStart(4, '0')}`,
      customer,
      isVip ? 'vip' : 'normal',
    ];
    for (const { sku, price, quantity } of chooseItems(random, second / 3_600)) {
      lines.push([...order, sku, quantity, price].join(','));
    }
  }
  return `${lines.join('\n')}\n`;
}

/** mulberry32: small, and the same on every machine, unlike Math.random. */
function seededRandom(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A second of the day at which somebody orders: likelier where it is busier. */
function openingSecond(random: () => number): number {
  const spans = rushes.map(([fromHour, weight], index) => {
    const hours = (rushes[index + 1]?.[0] ?? closesAtHour) - fromHour;
    return { fromHour, hours, share: hours * weight };
  });
  const { fromHour, hours } = pick(random, spans, ({ share }) => share);
  return Math.floor((fromHour + random() * hours) * 3_600);
}

/** One to four items, each product once: mostly a drink, often with something to eat. */
function chooseItems(random: () => number, hour: number): { sku: string; price: string; quantity: number }[] {
  const part = hour < 11.5 ? 0 : hour < 14 ? 1 : 2;
  const wanted = pick(random, [1, 2, 3, 4], (count) => [0, 42, 36, 15, 7][count] ?? 0);
  const chosen = new Map<string, { sku: string; price: string; quantity: number }>();
  while (chosen.size < wanted) {
    const shelf = random() < (chosen.size === 0 ? 0.85 : 0.35) ? drinks : dishes;
    const { sku, price } = pick(random, shelf, ({ appeal }) => appeal[part]);
    chosen.set(sku, { sku, price, quantity: pick(random, [1, 2, 3], (quantity) => [0, 86, 12, 2][quantity] ?? 0) });
  }
  return [...chosen.values()];
}

function pick<Choice>(random: () => number, choices: readonly Choice[], weightOf: (choice: Choice) => number): Choice {
  let left = random() * choices.reduce((total, choice) => total + weightOf(choice), 0);
  for (const choice of choices) {
    left -= weightOf(choice);
    if (left < 0) return choice;
  }
  throw new Error('nothing to choose from');
}

function clock(second: number): string {
  return [second / 3_600, (second % 3_600) / 60, second % 60]
    .map((part) => String(Math.floor(part)).padStart(2, '0'))
    .join(':');
}

if (import.meta.main) {
  await writeFile(path.join(import.meta.dirname, '../docs/examples/a-saturday.csv'), makeSaturday());
}
