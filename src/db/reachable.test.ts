import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { cloneDatabase } from '../../test/support/database.ts';
import { assertReachable, DatabaseUnreachableError } from './reachable.ts';

async function saidOf(url: string): Promise<string> {
  const fault = await assertReachable(url).catch((error: unknown) => error);
  expect(fault).toBeInstanceOf(DatabaseUnreachableError);
  const { message } = fault as DatabaseUnreachableError;
  expect(message).toMatch(/^The database of DATABASE_URL .*$/); // one line
  expect(message).not.toContain('hunter2');
  return message;
}

it('lets a database that can be used pass', async () => {
  const database = await cloneDatabase();
  await assertReachable(database.url);
  await database.drop();
});

it('names the address and what to do when nobody listens there', async () => {
  for (const host of ['127.0.0.1', 'localhost']) {
    const said = await saidOf(`postgres://shop:hunter2@${host}:1/till?sslmode=disable&password=hunter2`);
    expect(said).toContain(`postgres://shop@${host}:1/till, cannot be used: `);
    expect(said).toMatch(/ECONNREFUSED.*Is it running, and is the address right\?$/);
  }
});

it('tells a wrong name of the database, of the host, and another program', async () => {
  const database = await cloneDatabase();
  const elsewhere = new URL(database.url);
  elsewhere.pathname = '/no_such_database';
  expect(await saidOf(elsewhere.href)).toMatch(/"no_such_database" does not exist\. Create this database/);
  await database.drop();
  expect(await saidOf('postgres://no-such-host.invalid/till')).toMatch(/no-such-host\.invalid/);
  const other = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as { port: number };
  await saidOf(`postgres://127.0.0.1:${port}/till`);
  other.close();
});
