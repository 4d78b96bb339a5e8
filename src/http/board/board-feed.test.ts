import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cloneDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { until } from '../../../test/support/until.ts';
import { type Database, openDatabase } from '../../db/pool.ts';
import { ServiceUnavailableError } from '../../domain/errors.ts';
import { createLog } from '../../log.ts';
import { BoardFeed } from './board-feed.ts';

const log = createLog('silent', 'test');
let testDatabase: TestDatabase;
let database: Database;

beforeAll(async () => {
  testDatabase = await cloneDatabase();
  database = await openDatabase(testDatabase.url, log);
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

const countListeners = async () => {
  const [row] = await testDatabase.query<{ count: string }>(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'twolane listener'",
  );
  return Number(row!.count);
};

it('listens only while somebody looks', async () => {
  const feed = new BoardFeed({ database, log }, { keepForMs: 300 });
  expect(await countListeners()).toBe(0);
  await feed.read();
  await until('a listener', async () => (await countListeners()) === 1);
  await until('no listener', async () => (await countListeners()) === 0);
  expect(JSON.parse(await feed.read())).toMatchObject({ counts: { pending: 0 } });
  await until('a listener again', async () => (await countListeners()) === 1);
  await feed.close();
  await until('no listener after close', async () => (await countListeners()) === 0);
  await expect(feed.read()).rejects.toMatchObject({ code: 'service_unavailable' });
});

it('does not look alive while the database is away, and goes on when it is back', async () => {
  const feed = new BoardFeed({ database, log });
  const server = createServer((_request, response) => void feed.follow(undefined, () => response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stream = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const admin = new pg.Client(process.env['TEST_DATABASE_URL']);
  await admin.connect();
  const name = new URL(testDatabase.url).pathname.slice(1);
  await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
  await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
  await until('a refusal', () =>
    feed.read().then(
      () => false,
      (error: Error) => error instanceof ServiceUnavailableError,
    ),
  );
  await stream.text(); // ends, because a stream that says nothing would look like a quiet shop
  await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
  await admin.end();
  await until('the board', () => feed.read().catch(() => null));
  await feed.close();
  server.close();
});
