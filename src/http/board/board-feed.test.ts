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
const media = { urlOf: (url: string | null) => url };
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

/** A stream as the network sees it. */
async function openStream(feed: BoardFeed) {
  const server = createServer((_request, response) => void feed.follow(undefined, () => response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  let frames: string[] = [];
  const ended = (async () => {
    let rest = '';
    for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
      const pieces = (rest + text).split('\n\n');
      rest = pieces.pop() ?? '';
      frames.push(...pieces);
    }
  })();
  return {
    ended,
    /** The next frame that holds this text; those before it are gone. */
    async readUntil(text: string): Promise<string> {
      const frame = await until(text, () => frames.find((one) => one.includes(text)));
      frames = frames.slice(frames.indexOf(frame) + 1);
      return frame;
    },
    async close() {
      await ended;
      server.close();
      await once(server, 'close');
    },
  };
}

it('listens only while somebody looks', async () => {
  const feed = new BoardFeed({ database, media, log }, { keepForMs: 300 });
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

it('corrects counts that a wrongly written move has spoilt, also for those who watch', async () => {
  const feed = new BoardFeed({ database, media, log }, { recountMs: 200 });
  const [order] = await testDatabase.query<{ number: string }>(`
    INSERT INTO orders (id, user_id, lane, status, due_seq, total_minor, currency, payment_method)
    SELECT gen_random_uuid(), id, 'normal', 'pending', nextval('order_due_seq'), 100, 'EUR', 'counter' FROM users LIMIT 1 RETURNING number`);
  const viewer = await openStream(feed);
  expect(await viewer.readUntil('event: snapshot')).toContain('"counts":{"pending":1,"processing":0,"complete":0}');
  await testDatabase.query(
    `INSERT INTO order_events (order_number, lane, type, from_status, to_status, attempt, actor)
     VALUES ($1, 'normal', 'completed', 'processing', 'complete', 1, 'test')`,
    [order!.number],
  );
  await viewer.readUntil('event: order');
  expect(await viewer.readUntil('event: snapshot')).toContain('"counts":{"pending":1,"processing":0,"complete":0}');
  await feed.close();
  await viewer.close();
});

it('does not look alive while the database is away, and goes on when it is back', async () => {
  const feed = new BoardFeed({ database, media, log });
  const viewer = await openStream(feed);
  const admin = new pg.Client(process.env.TEST_DATABASE_URL);
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
  await viewer.ended; // ends, because a stream that says nothing would look like a quiet shop
  await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
  await admin.end();
  await until('the board', () => feed.read().catch(() => null));
  await feed.close();
  await viewer.close();
});
