import { expect, it } from 'vitest';
import { cloneDatabase } from '../../test/support/database.ts';
import { createLog } from '../log.ts';
import { listEventsAfter } from './order-events.ts';
import { openDatabase } from './pool.ts';

it('tells events by the numbers of their transactions, not by their texts', async () => {
  const database = await cloneDatabase();
  const { pool, close } = await openDatabase(database.url, createLog('fatal', 'test'));
  try {
    await database.query(`
      INSERT INTO orders (id, number, user_id, lane, status, due_seq, total_minor, currency, payment_method)
      SELECT gen_random_uuid(), 1001, id, 'normal', 'pending', 1, 240, 'EUR', 'counter' FROM users LIMIT 1`);
    await database.query(`
      INSERT INTO order_events (xid, order_number, lane, type, to_status, attempt, actor)
      SELECT xid::text::xid8, 1001, 'normal', 'placed', 'pending', 0, 'customer' FROM unnest('{100,99,101,9}'::int[]) AS given (xid)`);
    const page = async (xid: string, id: string, limit: number) =>
      (await listEventsAfter(pool, { xid, id }, limit)).map(({ cursor }) => cursor.xid);
    expect(await page('0', '0', 10)).toEqual(['9', '99', '100', '101']);
    expect(await page('0', '0', 2)).toEqual(['9', '99']);
  } finally {
    await close();
    await database.drop();
  }
});
