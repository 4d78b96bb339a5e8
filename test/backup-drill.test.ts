import { generateIdentity } from 'age-encryption';
import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { runCaptured } from '../src/cli/captured-run.ts';
import type { AuditEvent } from '../src/domain/audit.ts';
import type { Backup, BackupList } from '../src/domain/backup.ts';
import type { Order } from '../src/domain/order.ts';
import type { Difference } from '../src/domain/reconciliation.ts';
import { manager } from './support/api.ts';
import type { TestDatabase } from './support/database.ts';
import { adminHeader, type Backend, backends, type Engine, startEngine } from './support/engine.ts';
import { type MailEngine, startMailEngine } from './support/mail.ts';
import { until } from './support/until.ts';

const roles = ['bots', 'payments', 'email', 'backup', 'relay'] as const;
const identity = await generateIdentity();
const admin = { headers: adminHeader };

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function onServer(statement: string): Promise<void> {
  const client = new pg.Client(process.env.TEST_DATABASE_URL);
  await client.connect();
  await client.query(statement);
  await client.end();
}

const databaseName = (url: string) => new URL(url).pathname.slice(1);

/** Everybody's orders as people see them; what depends on the moment left out. */
async function ordersOf({ api }: Engine): Promise<Record<number, Partial<Order>>> {
  const { body } = await api.call<{ orders: Order[] }>('GET', '/v1/orders?limit=100', { as: manager });
  return Object.fromEntries(
    body.orders.map(({ number, status, total, items, lane, payment, placedAt, completedAt, attempt }) => [
      number,
      {
        number,
        status,
        total,
        items,
        lane,
        payment: { ...payment, checkoutUrl: null },
        placedAt,
        completedAt,
        attempt,
      },
    ]),
  );
}

interface Shop {
  money: MailEngine;
  /** Complete and captured; given back in part; cancelled; waiting for their money; waiting for a bot. */
  captured: Order;
  refunded: Order;
  cancelled: Order;
  unpaid: Order;
  held: Order;
  waiting: Order[];
}

/** An engine with orders in every state, and nobody at work on those that wait. */
async function openShop(backend: Backend): Promise<Shop & { stopWorkers(): Promise<void> }> {
  const money = await startMailEngine(backend, {
    roles: [],
    env: { BOT_PROCESSING_MS: '10', BACKUP_CRON: 'off', BACKUP_ENCRYPTION_KEY: identity },
  });
  closers.push(() => money.close());
  const { engine } = money;
  const workers = await engine.startWorkers([...roles]);
  await engine.api.addBot();
  await engine.api.place('normal');
  const [captured, refunded] = [await money.placeOnline('stripe'), await money.placeOnline('paypal')];
  for (const order of [captured, refunded]) money.pay(order);
  for (const { number } of [captured, refunded]) await money.untilAt(number, 'complete', 'captured');
  await engine.api.call('POST', `/v1/orders/${refunded.number}/refunds`, {
    as: manager,
    body: { amount: { amountMinor: 100, currency: 'EUR' } },
  });
  await money.untilAt(refunded.number, 'complete', 'partially_refunded');

  await engine.api.removeBot();
  const cancelled = await money.placeOnline('stripe');
  money.pay(cancelled);
  await money.untilAt(cancelled.number, 'pending', 'authorised');
  await money.cancel(cancelled.number);
  await money.untilAt(cancelled.number, 'cancelled', 'voided');
  const held = await money.placeOnline('stripe');
  money.pay(held);
  await money.untilAt(held.number, 'pending', 'authorised');
  const waiting = [await engine.api.place('normal'), await engine.api.place('vip'), await engine.api.place('normal')];
  const unpaid = await money.placeOnline('paypal');
  return { money, captured, refunded, cancelled, unpaid, held, waiting, stopWorkers: () => workers.close() };
}

describe.each(backends)('the drill on %s', (backend) => {
  it('loses the database, restores it, and goes on: same orders, same money, what waits gets done', async () => {
    const { money, captured, refunded, cancelled, held, unpaid, waiting, stopWorkers } = await openShop(backend);
    const { engine } = money;
    const before = await ordersOf(engine);
    await money.untilQuiet();
    const settled = [captured, refunded, cancelled].map(({ number }) => number);
    const mailsBefore = settled.map((number) => money.kindsOf(number));
    expect(mailsBefore[0]).toEqual(['order_confirmed', 'order_ready', 'receipt']);
    const asked = await engine.api.call<{ backup: Backup }>('POST', '/v1/admin/backups', admin);
    const backup = await until(
      'a verified backup',
      async () => {
        const path = `/v1/admin/backups/${asked.body.backup.id}`;
        const { body } = await engine.api.call<{ backup: Backup }>('GET', path, admin);
        if (body.backup.state === 'failed') throw new Error(body.backup.failure ?? 'failed');
        return body.backup.state === 'verified' && body.backup;
      },
      40_000,
    );
    expect(backup).toMatchObject({ encrypted: true, failure: null });

    // What happens now is not in the backup, and the providers know of it.
    await engine.api.addBot();
    await money.untilAt(held.number, 'complete', 'captured');
    const lost = await money.placeOnline('stripe');
    money.pay(lost);
    await money.untilAt(lost.number, 'complete', 'captured');

    const { environment } = engine;
    const cli = { env: { ...environment, DATABASE_URL: '', NO_COLOR: '1' } };
    if (backend === 'redis') {
      // Also a copy beside it would empty the queues of the engine that is at work.
      const refused = await runCaptured(['backup', 'restore', '--to', engine.database.url, '--yes'], cli);
      expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('is at work on the queues') });
    }
    await stopWorkers();
    const { url } = engine.database;
    await onServer(`DROP DATABASE ${databaseName(url)} WITH (FORCE)`);
    await onServer(`CREATE DATABASE ${databaseName(url)}`);
    const listed = await runCaptured(['backup', 'list'], cli);
    expect(listed.stdout).toContain(backup.name);
    const restored = await runCaptured(['backup', 'restore', '--to', url, '--yes'], cli);
    expect(restored.stderr).toBe('');
    expect(restored.stdout).toMatch(/restored in .*\n.*vip 1, normal 3\n/);
    expect(restored.stdout).toContain('payments reconcile');
    const nextNumber = Number(/new orders begin at (\d+): /.exec(restored.stdout)?.[1]);
    const lastNumber = Math.max(...Object.keys(before).map(Number));
    expect(nextNumber % 1_000).toBe(1);
    expect(nextNumber - lastNumber).toBeGreaterThan(1_000);
    const again = await runCaptured(['backup', 'restore', '--to', url, '--yes'], cli);
    expect(again).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/not empty[\s\S]*--into-empty-schema/) });

    const next = await startEngine(backend, {
      roles: [],
      database: engine.database as TestDatabase,
      env: { ...environment, PORT: '0' },
    });
    closers.push(() => next.close());
    money.sandbox.sendTo({
      stripe: `${next.web.url}/v1/webhooks/stripe`,
      paypal: `${next.web.url}/v1/webhooks/paypal`,
    });
    expect(await ordersOf(next)).toEqual(before);
    // Of the jobs of that other time none is left: what was done there has the id of what is due here.
    const { body: queueStore } = await next.api.call<{ queues: { name: string; completed: number }[] }>(
      'GET',
      '/v1/admin/queues',
      admin,
    );
    expect(queueStore.queues.filter(({ completed }) => completed > 0)).toEqual([]);
    expect((await next.api.bots()).length).toBe(0);

    await next.startWorkers([...roles]);
    await next.api.addBot();
    for (const { number } of [...waiting, held])
      await until(`order ${number} complete`, async () => (await next.api.order(number)).status === 'complete', 20_000);
    const heldAgain = await until('the held one captured', async () => {
      const order = await next.api.order(held.number);
      return order.payment.status === 'captured' && order;
    });
    expect(heldAgain.status).toBe('complete');
    money.pay(unpaid);
    await until('one that was not paid yet', async () => {
      const order = await next.api.order(unpaid.number);
      return order.status === 'complete' && order.payment.status === 'captured';
    });
    const fresh = await next.api.place('vip');
    expect(fresh.number).toBe(nextNumber); // the number of the lost one is in the books of its provider
    expect(fresh.number).toBeGreaterThan(lost.number);

    for (const { number } of [captured, held, unpaid])
      expect(
        money.moved(number).filter((line) => line.startsWith('captured')),
        `order ${number}`,
      ).toHaveLength(1);
    expect(money.moved(refunded.number).filter((line) => /captured|refunded/.test(line))).toEqual([
      'captured 240 EUR',
      'refunded 100 EUR',
    ]);
    expect(money.moved(cancelled.number).filter((line) => line.startsWith('captured'))).toEqual([]);

    await money.untilQuiet();
    expect(settled.map((number) => money.kindsOf(number))).toEqual(mailsBefore); // nobody is told twice
    // What was told after the snapshot, the backup cannot know.
    for (const { number } of waiting)
      expect(money.kindsOf(number).filter((kind) => kind === 'order_confirmed')).toHaveLength(1);

    const told = (await next.api.call<BackupList>('GET', '/v1/admin/backups', admin)).body;
    expect(told.lastVerified).toMatchObject({ name: backup.name, restoreMs: backup.restoreMs });
    expect(told.backups.map(({ state }) => state)).toEqual(['verified']);
    const audit = await next.api.call<{ events: AuditEvent[] }>('GET', '/v1/admin/audit?limit=50', admin);
    const actions = audit.body.events.map(({ action }) => action);
    expect(actions).toEqual(expect.arrayContaining(['backup_restored', 'backup_requested', 'bot_added', 'sign_in']));

    const books = await next.api.call<{ differences: Difference[] }>('POST', '/v1/admin/reconciliation', {
      ...admin,
      body: { from: new Date(Date.now() - 3_600_000).toISOString(), to: new Date().toISOString() },
    });
    // All the money there is but that of the order that was placed after the backup: somebody has to look at it.
    expect(books.body.differences.map(({ kind, theirs }) => [kind, theirs])).toEqual([['unknown_to_us', lost.total]]);
  }, 120_000);
});
