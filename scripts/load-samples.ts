/** Sample accounts and a small café's catalogue, for the demo and for tests. What exists is left alone. */
import { pathToFileURL } from 'node:url';
import { hashPassword } from '../src/accounts/password.ts';
import { readConfig } from '../src/config.ts';
import { insertBot } from '../src/db/bots.ts';
import { openDatabase } from '../src/db/pool.ts';
import { upsertProducts } from '../src/db/products.ts';
import type { Db } from '../src/db/sql.ts';
import { insertUser } from '../src/db/users.ts';
import { samplePassword } from '../src/domain/user.ts';
import { createLog } from '../src/log.ts';

export const sampleUsers = [
  { email: 'normal@twolane.test', displayName: 'Nora Normal', role: 'NORMAL' },
  { email: 'vip@twolane.test', displayName: 'Vito Vip', role: 'VIP' },
  { email: 'manager@twolane.test', displayName: 'Mara Manager', role: 'MANAGER' },
  { email: 'bot@twolane.test', displayName: 'Bo Bot', role: 'BOT' },
] as const;

const menu: [name: string, amountMinor: number, description: string][] = [
  ['Espresso', 240, 'Short, dark and quick, with a hazelnut crema.'],
  ['Flat white', 380, 'A double shot under silky milk, with a leaf on top.'],
  ['Cappuccino', 360, 'Espresso, hot milk and a thick cap of foam, dusted with cocoa.'],
  ['Filter coffee', 290, 'Brewed by hand, cup by cup. Ask for today’s beans.'],
  ['Hot chocolate', 390, 'Dark chocolate melted in milk, with whipped cream.'],
  ['Chai latte', 410, 'Black tea, cardamom, ginger and cinnamon in steamed milk.'],
  ['Orange juice', 420, 'Four oranges, pressed when you order.'],
  ['Lemonade', 370, 'Lemon, mint and a little cane sugar, over ice.'],
  ['Croissant', 260, 'Butter, flour and three days of patience.'],
  ['Pain au chocolat', 290, 'Two bars of dark chocolate in flaky pastry.'],
  ['Cinnamon roll', 340, 'Still warm, with cream cheese icing.'],
  ['Banana bread', 350, 'A thick slice with walnuts, toasted if you like.'],
  ['Granola bowl', 690, 'Our own granola on yoghurt, with banana and berries.'],
  ['Avocado toast', 890, 'Sourdough, crushed avocado, radish, chilli and lime.'],
  ['Grilled cheese', 750, 'Two cheeses and a little mustard, grilled until they run.'],
  ['Soup of the day', 650, 'Roasted tomato today, with basil and croutons.'],
];

export const sampleProducts = menu.map(([name, amountMinor, description]) => {
  const sku = name.toLowerCase().replaceAll(' ', '-');
  return {
    sku,
    name,
    price: { amountMinor, currency: 'EUR' },
    description,
    imageUrl: `/media/products/${sku}.svg`,
    soundUrl: '/media/sounds/ready.wav',
  };
});

export async function loadSamples(db: Db, bots: number): Promise<void> {
  for (const user of sampleUsers) await insertUser(db, { ...user, passwordHash: await hashPassword(samplePassword) });
  await upsertProducts(db, sampleProducts);
  for (let count = 0; count < bots; count++) await insertBot(db);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { databaseUrl } = readConfig(process.env);
  const database = await openDatabase(databaseUrl, createLog('warn', 'samples'));
  await loadSamples(database.pool, 2);
  await database.close();
  console.log(`Loaded ${sampleUsers.length} accounts, ${sampleProducts.length} products and 2 bots.`);
}
