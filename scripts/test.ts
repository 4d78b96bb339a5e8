/** `npm test`: brings up a fresh private Postgres and a Redis, runs vitest with the given arguments, stops them again. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { endWithUs } from '../sandbox/end-with-us.ts';
import { startPrivatePostgres } from '../sandbox/private-postgres.ts';
import { findRedis } from '../sandbox/test-redis.ts';
import { runVitest } from './run-vitest.ts';

const log = (line: string) => console.error(`test: ${line}`);

const folder = mkdtempSync(path.join(os.tmpdir(), 'twolane-test-'));
chmodSync(folder, 0o711); // Postgres may have to run as another user
const report = process.env.TEST_REPORT ?? path.join(folder, 'report.json');

const postgres = await startPrivatePostgres({ dataDir: folder, log });
const callOff = endWithUs(postgres.pid, 'INT', folder);
const stopAll = async () => {
  callOff();
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
};
const redis = await findRedis(log).catch(async (error: Error) => {
  await stopAll();
  log(error.message);
  process.exit(1);
});

const code = await runVitest({
  args: process.argv.slice(2),
  env: { TEST_DATABASE_URL: postgres.url, TEST_REDIS_URL: redis.url },
  report,
  folder,
});
await redis.stop();
await stopAll();
process.exitCode = code;
