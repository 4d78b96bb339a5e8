import pg from 'pg';
import { migrateQueueStore } from '../../queues/backend.ts';
import { loadSamples } from '../../scripts/load-samples.ts';
import { migrate } from '../../src/db/migrations.ts';
import { openDatabase } from '../../src/db/pool.ts';
import { createLog } from '../../src/log.ts';
import { databaseUrl, templateName } from './database.ts';

/** Makes the migrated template that every test file clones. */
export async function setup(): Promise<() => Promise<void>> {
  const server = process.env.TEST_DATABASE_URL;
  if (!server || !process.env.TEST_REDIS_URL)
    throw new Error(
      'TEST_DATABASE_URL and TEST_REDIS_URL are missing: run the tests by `npm test`, which starts both.',
    );
  process.env.TEST_TEMPLATE = templateName; // the workers inherit it
  const client = new pg.Client(server);
  await client.connect();
  await client.query(`DROP DATABASE IF EXISTS ${templateName}`);
  await client.query(`CREATE DATABASE ${templateName}`);
  await migrate(databaseUrl(templateName));
  await migrateQueueStore(databaseUrl(templateName));
  const database = await openDatabase(databaseUrl(templateName), createLog('warn', 'test'));
  await loadSamples(database.pool, 0);
  await database.close();
  return async () => {
    await client.query(`DROP DATABASE IF EXISTS ${templateName}`);
    await client.end();
  };
}
