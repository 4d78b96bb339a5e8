/** The Procfile's `release`: brings the schema up to this version; does nothing when it is. */
import { migrateQueueStore } from '../queues/backend.ts';
import { readConfig } from '../src/config.ts';
import { migrate } from '../src/db/migrations.ts';
import { assertReachable } from '../src/db/reachable.ts';
import { describeStartFailure } from '../src/domain/start-up-error.ts';

try {
  const { databaseUrl } = readConfig(process.env);
  await assertReachable(databaseUrl);
  const applied = await migrate(databaseUrl);
  await migrateQueueStore(databaseUrl);
  console.log(applied.length === 0 ? 'The schema is up to date.' : `Applied ${applied.join(', ')}.`);
} catch (error) {
  console.error(describeStartFailure(error));
  process.exitCode = 1;
}
