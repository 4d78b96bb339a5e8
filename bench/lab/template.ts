import { migrateQueueStore } from '../../queues/backend.ts';
import { migrate } from '../../src/db/migrations.ts';
import type { LabDatabase } from './lab-database.ts';

export const customers = 500;
/** One customer in five is a VIP. */
const vipEvery = 5;

/** The schema, 500 customers and a small catalogue, vacuumed and analysed: every cell starts from a copy of it. */
export async function migrateTemplate(database: LabDatabase): Promise<void> {
  await migrate(database.url);
  await migrateQueueStore(database.url);
  await database.query(
    `INSERT INTO users (id, email, display_name, role)
     SELECT gen_random_uuid(), 'customer' || n || '@bench.test', 'Customer ' || n, CASE WHEN n % $2 = 0 THEN 'VIP' ELSE 'NORMAL' END
     FROM generate_series(1, $1) n`,
    [customers, vipEvery],
  );
  await database.query(
    `INSERT INTO products (id, sku, name, price_minor, currency)
     SELECT gen_random_uuid(), 'product-' || n, 'Product ' || n, 100 * n, 'EUR' FROM generate_series(1, 20) n`,
  );
  await database.query('VACUUM (ANALYZE)');
}
