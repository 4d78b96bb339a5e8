import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../src/db/pool.ts';
import type { Order } from '../src/domain/order.ts';
import { createLog } from '../src/log.ts';
import { planEmails } from '../src/operations/plan-emails.ts';
import { manager, normal, samplePassword, vip } from './support/api.ts';
import { adminHeader, type Engine, startEngine } from './support/engine.ts';
import { until } from './support/until.ts';

/** Whose mails are due, and how often, with nobody there to send them. */
describe('planning emails', () => {
  let engine: Engine;
  let database: Database;
  beforeAll(async () => {
    engine = await startEngine('postgres', { roles: [] });
    database = await openDatabase(engine.database.url, createLog('silent', 'test'), { poolSize: 8 });
  });
  afterAll(async () => {
    await database.close();
    await engine.close();
  });

  const deps = (senderDomain: string | null = 'shop.example') => ({
    pool: database.pool,
    settings: { senderDomain },
    wakeRelay: () => undefined,
    log: createLog('silent', 'test'),
  });
  const told = async ({ number }: { number: number }) =>
    (await engine.database.query<{ kind: string }>('SELECT kind FROM emails WHERE order_number = $1', [number])).map(
      ({ kind }) => kind,
    );
  const behind = async () => {
    const [row] = await engine.database.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM order_events e LEFT JOIN event_cursors c ON c.follower = 'emails of orders'
       WHERE c.xid IS NULL OR (e.xid, e.id) > (c.xid, c.id)`,
    );
    return row?.count;
  };
  /** A transaction that still runs holds back what is told, and other tests of this file leave some behind for a moment. */
  const planAll = (senderDomain?: string | null) =>
    until('all planned', async () => {
      await planEmails(deps(senderDomain));
      return (await behind()) === 0;
    });
  const place = async (as: string, more: object = {}) => {
    const { body } = await engine.api.call<{ order: Order }>('POST', '/v1/orders', {
      as,
      body: { items: [{ sku: 'espresso', quantity: 1 }], payment: { method: 'counter' }, ...more },
    });
    return body.order;
  };

  it('writes each message and its job once, however many plan at once', async () => {
    const orders = await Promise.all(Array.from({ length: 40 }, () => engine.api.place()));
    await until('all planned', async () => {
      await Promise.all(Array.from({ length: 6 }, () => planEmails(deps())));
      return (await behind()) === 0;
    });
    for (const order of orders) expect(await told(order)).toEqual(['order_confirmed']);
    const boxed = await engine.database.query<{ job: { emailId: string } }>(
      "SELECT jsonb_array_elements(jobs) AS job FROM outbox WHERE queue = 'email'",
    );
    const emails = await engine.database.query<{ id: string; message_id: string }>('SELECT id, message_id FROM emails');
    expect(boxed.map(({ job }) => job.emailId).sort()).toEqual(emails.map(({ id }) => id).sort());
    expect(emails.every(({ id, message_id }) => message_id === `<${id}@shop.example>`)).toBe(true);
    const { body: metrics } = await engine.api.call<string>('GET', '/metrics', { headers: adminHeader });
    expect(metrics).toContain('twolane_emails_waiting{kind="order_confirmed"} 40\n');
    expect(metrics).toMatch(/^twolane_emails_oldest_seconds [\d.]+$/m);
    expect(metrics).toContain('twolane_emails_retrying 0\n');
  });

  it('waits for an event that may come late, and not for what runs in other databases', async () => {
    const [elsewhere, here] = [new pg.Client(process.env.TEST_DATABASE_URL), new pg.Client(engine.database.url)];
    await Promise.all([elsewhere.connect(), here.connect()]);
    for (const one of [elsewhere, here]) await one.query('BEGIN; SELECT pg_current_xact_id()');
    const order = await place(normal);
    const { rows } = await here.query<{ number: string }>(
      "UPDATE orders SET note = 'late' WHERE number < $1 AND note IS NULL RETURNING number",
      [order.number],
    );
    await here.query(
      `INSERT INTO order_events (order_number, lane, type, from_status, to_status, attempt, actor)
       VALUES ($1, 'normal', 'completed', 'processing', 'complete', 1, 'test')`,
      [rows[0]?.number],
    );
    await planEmails(deps());
    expect(await told(order)).toEqual([]);
    await here.query('COMMIT');
    await planAll();
    expect(await told(order)).toEqual(['order_confirmed']);
    expect(await told({ number: Number(rows[0]?.number) })).toContain('order_ready');
    await Promise.all([elsewhere.end(), here.end()]);
  });

  it('tells nobody who is gone, and no manager of what was taken down for somebody else', async () => {
    const email = `${randomUUID()}@example.com`;
    const account = { email, password: samplePassword, displayName: 'Soon gone' };
    const { body } = await engine.api.call<{ user: { id: string } }>('POST', '/v1/auth/register', { body: account });
    const [gone, forAnother, own] = [
      await place(email),
      await place(manager, { customerName: 'Ada' }),
      await place(manager),
    ];
    const path = `/v1/admin/users/${body.user.id}`;
    expect((await engine.api.call('DELETE', path, { headers: adminHeader })).status).toBe(204);
    await planAll();
    expect([await told(gone), await told(forAnother), await told(own)]).toEqual([[], [], ['order_confirmed']]);
  });

  it('goes on without mail, so that who sets it up later tells no old news', async () => {
    const quiet = await place(vip);
    await planAll(null);
    const next = await place(vip);
    await planAll();
    expect([await told(quiet), await told(next)]).toEqual([[], ['order_confirmed']]);
  });

  it.each([
    ['is gone, as in a database that was restored', 'DELETE FROM event_cursors'],
    ['is of a cluster that had counted further', "UPDATE event_cursors SET xid = '900000000000'"],
  ])(
    'tells what nobody was told, and that once, and nothing that is a day old, when its place %s',
    async (_name, spoil) => {
      const before = await place(normal);
      await planAll();
      const old = await place(normal);
      await engine.database.query("UPDATE order_events SET at = now() - interval '25 hours' WHERE order_number = $1", [
        old.number,
      ]);
      const lost = await place(normal);
      const [rows] = await engine.database.query<{ count: number }>('SELECT count(*)::int AS count FROM emails');
      await engine.database.query(spoil);
      await until('told', async () => {
        await planEmails(deps());
        return (await told(lost)).length === 1;
      });
      await planEmails(deps());
      expect([await told(before), await told(old), await told(lost)]).toEqual([
        ['order_confirmed'],
        [],
        ['order_confirmed'],
      ]);
      // Of orders that were placed before without anybody being told, such as the one without mail, this is news.
      const [now] = await engine.database.query<{ count: number }>('SELECT count(*)::int AS count FROM emails');
      expect((now?.count ?? 0) - (rows?.count ?? 0)).toBeLessThanOrEqual(2);
    },
  );
});
