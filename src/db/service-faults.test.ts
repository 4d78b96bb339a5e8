import { afterAll, beforeAll, expect, it } from 'vitest';
import { cloneDatabase, type TestDatabase } from '../../test/support/database.ts';
import { createLog } from '../log.ts';
import { type Database, openDatabase } from './pool.ts';
import { clearServiceFault, listServiceFaults, reportServiceFault } from './service-faults.ts';

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

it('keeps one fault of a service: when it began, what it is now, and that a queue was stopped for it', async () => {
  const db = database.pool;
  const isNew = await Promise.all(
    Array.from({ length: 5 }, () =>
      reportServiceFault(db, { service: 'mail', code: 'EAUTH', message: 'wrong password' }),
    ),
  );
  expect(isNew.filter(Boolean)).toHaveLength(1);
  const [first] = await listServiceFaults(db);
  expect(first).toMatchObject({ service: 'mail', code: 'EAUTH', message: 'wrong password', hasPaused: false });

  await reportServiceFault(db, { service: 'mail', code: 'EAUTH', message: 'wrong password', hasPaused: true });
  await reportServiceFault(db, { service: 'mail', code: 'ETLS', message: 'no STARTTLS' });
  const [last] = await listServiceFaults(db);
  expect(last).toMatchObject({ code: 'ETLS', message: 'no STARTTLS', hasPaused: true, since: first?.since });
  expect(last!.seenAt.getTime()).toBeGreaterThan(first!.seenAt.getTime());

  expect(await clearServiceFault(db, 'media')).toBe(false);
  expect(await listServiceFaults(db)).toHaveLength(1);
  expect(await clearServiceFault(db, 'mail')).toBe(true);
  expect(await listServiceFaults(db)).toEqual([]);
});
