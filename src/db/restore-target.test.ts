import { randomBytes } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { cloneDatabase, type TestDatabase } from '../../test/support/database.ts';
import type { BackupContents } from '../backup/backup-contents.ts';
import { openRestoreTarget } from './restore-target.ts';

let database: TestDatabase;
afterEach(() => database.drop());

it('keeps a copy that is for a moment alone out of the server’s log', async () => {
  database = await cloneDatabase();
  const schema = `scratch_${randomBytes(4).toString('hex')}`;
  const contents: BackupContents = {
    name: 'none',
    snapshotAt: '2026-11-22T12:00:00.000Z',
    migrations: [{ name: '0001', checksum: '0'.repeat(64), text: 'CREATE TABLE a (id int PRIMARY KEY)' }],
    before: [],
    tables: [{ name: 'a', columns: ['id'] }],
    after: [],
    sequences: [],
  };
  const target = await openRestoreTarget(database.url, schema, undefined);
  await target.prepare(contents);
  await target.makeUnlogged();
  await target.commit(contents);
  await target.close();
  expect(
    await database.query(
      `SELECT relname, relpersistence FROM pg_class WHERE relnamespace = '${schema}'::regnamespace AND relkind = 'r'`,
    ),
  ).toEqual([{ relname: 'a', relpersistence: 'u' }]);
});
