import { afterAll, beforeAll, expect, it } from 'vitest';
import { cloneDatabase, type TestDatabase } from '../../test/support/database.ts';
import { createLog } from '../log.ts';
import { findNextLeaseEndMs } from './bot-hosts.ts';
import { type Database, openDatabase } from './pool.ts';

let clone: TestDatabase;
let database: Database;
beforeAll(async () => {
  clone = await cloneDatabase();
  database = await openDatabase(clone.url, createLog('fatal', 'test'));
});
afterAll(async () => {
  await database.close();
  await clone.drop();
});

const self = '01890000-0000-7000-8000-000000000001';
const hold = (id: string, seconds: number) =>
  clone.query(
    `INSERT INTO bot_hosts (id, name, capacity, lease_until) VALUES ($1, 'host', 1, now() + $2 * interval '1 second')`,
    [id, seconds],
  );

it('says when the next lease of another ends, and never that one has: its judgement may have to wait', async () => {
  await hold(self, 1);
  await hold('01890000-0000-7000-8000-000000000002', -12);
  expect(await findNextLeaseEndMs(database.pool, self)).toBeNull();
  await hold('01890000-0000-7000-8000-000000000003', 2);
  const nextMs = await findNextLeaseEndMs(database.pool, self);
  expect(nextMs).toBeGreaterThan(0);
  expect(nextMs).toBeLessThanOrEqual(2_000);
});
