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

const prices = {
  Espresso: 240,
  'Flat white': 380,
  Cappuccino: 360,
  'Filter coffee': 290,
  'Hot chocolate': 390,
  'Chai latte': 410,
  'Orange juice': 420,
  Lemonade: 370,
  Croissant: 260,
  'Pain au chocolat': 290,
  'Cinnamon roll': 340,
  'Banana bread': 350,
  'Granola bowl': 690,
  'Avocado toast': 890,
  'Grilled cheese': 750,
  'Soup of the day': 650,
};

export const sampleProducts = Object.entries(prices).map(([name, amountMinor]) => ({
  sku: name.toLowerCase().replaceAll(' ', '-'),
  name,
  price: { amountMinor, currency: 'EUR' },
}));

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
