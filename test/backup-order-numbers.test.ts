import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { skipOrderNumbers } from '../src/db/restore-order-numbers.ts';
import { type BackupScene, openBackupScene, run } from './support/backup-scene.ts';

let scene: BackupScene;
beforeAll(async () => {
  scene = await openBackupScene(700);
  await run(
    scene.database.url,
    `UPDATE orders SET placed_at = now() - interval '71 hours' - (number % 20) * interval '1 hour'`,
  );
});
afterAll(() => scene?.close());

const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();

it.each([
  { why: 'a thousand where the day before the snapshot was quiet', snapshotAt: hoursAgo(1), left: 1_000 },
  {
    why: 'twice a day for each day since a snapshot with 700 orders in its day',
    snapshotAt: hoursAgo(70),
    left: 4_200,
  },
])('leaves out at least $why, up to the next thousand', async ({ snapshotAt, left }) => {
  await run(scene.database.url, "SELECT setval('order_number_seq', (SELECT max(number) FROM orders))");
  const [given] = await run<{ last: number }>(scene.database.url, 'SELECT max(number)::float8 AS last FROM orders');
  const client = new pg.Client(scene.database.url);
  await client.connect();
  const next = await skipOrderNumbers(client, snapshotAt);
  await client.end();
  expect(next).toBe(Math.ceil(((given?.last ?? 0) + left) / 1_000) * 1_000 + 1);
  const [taken] = await run<{ number: string }>(scene.database.url, "SELECT nextval('order_number_seq') AS number");
  expect(Number(taken?.number)).toBe(next);
});
