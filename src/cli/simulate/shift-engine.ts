import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { migrateQueueStore } from '../../../queues/backend.ts';
import { hashPassword } from '../../accounts/password.ts';
import { readConfig } from '../../config.ts';
import { migrate } from '../../db/migrations.ts';
import { openDatabase } from '../../db/pool.ts';
import { upsertProducts } from '../../db/products.ts';
import { insertUser } from '../../db/users.ts';
import { samplePassword } from '../../domain/user.ts';
import { accounts } from '../program-options.ts';
import { createScratchDatabase } from './scratch-database.ts';

export interface ShiftEngine {
  url: URL;
  close(): Promise<void>;
}

const users = [
  { email: accounts.normal, displayName: 'Nora Normal', role: 'NORMAL' },
  { email: accounts.vip, displayName: 'Vito Vip', role: 'VIP' },
  { email: accounts.manager, displayName: 'Mara Manager', role: 'MANAGER' },
] as const;
const products = [{ sku: 'espresso', name: 'Espresso', price: { amountMinor: 240, currency: 'EUR' } }];

/** The whole engine in this process, on an empty database of its own: nothing else it could meet, nothing left behind. */
export async function startShiftEngine(postgresUrl: string, processingMs: number): Promise<ShiftEngine> {
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const closeOne of closers.splice(0).reverse()) await closeOne();
  };
  try {
    const database = await createScratchDatabase(postgresUrl);
    closers.push(() => database.drop());
    // No REDIS_URL: what a scratch run leaves in a shared Redis would outlive its database.
    const config = readConfig({
      ENV: 'development',
      HOST: '127.0.0.1',
      PORT: '0',
      DATABASE_URL: database.url,
      JWT_SECRET: randomBytes(32).toString('hex'),
      BOT_PROCESSING_MS: String(processingMs),
    });
    const log = pino({ level: 'fatal' }, pino.destination(2)); // stdout tells the story of the shift
    await migrate(config.databaseUrl);
    await migrateQueueStore(config.databaseUrl);
    await loadAccounts(config.databaseUrl, log);
    const [{ startWeb }, { startWorkers }] = await Promise.all([
      import('../../server.ts'),
      import('../../../workers/main.ts'),
    ]);
    const web = await startWeb(config, log);
    closers.push(() => web.close());
    const workers = await startWorkers(config, log, ['bots', 'relay']);
    closers.push(() => workers.close());
    return { url: new URL(web.url), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function loadAccounts(databaseUrl: string, log: pino.Logger): Promise<void> {
  const database = await openDatabase(databaseUrl, log, { name: 'simulate' });
  try {
    const passwordHash = await hashPassword(samplePassword);
    for (const user of users) await insertUser(database.pool, { ...user, passwordHash });
    await upsertProducts(database.pool, products);
  } finally {
    await database.close();
  }
}
