import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RunOptions, runCaptured } from '../src/cli/captured-run.ts';
import type { Order } from '../src/domain/order.ts';
import type { PaymentProvider } from '../src/domain/payment.ts';
import type { Difference, ReconciliationRun } from '../src/domain/reconciliation.ts';
import { openGateways } from '../src/payments/open-gateways.ts';
import type { PaymentGateway, PaymentReferences } from '../src/payments/payment-gateway.ts';
import { manager } from './support/api.ts';
import { adminHeader, type Backend } from './support/engine.ts';
import { type MoneyEngine, startMoneyEngine } from './support/money.ts';
import { until } from './support/until.ts';

interface Reconciliation {
  runs: ReconciliationRun[];
  differences: Difference[];
  counts: { movements: number; ofOthers: number; compared: number; found: number; open: number; failed: number };
}

const price = 240;
const hour = 3_600_000;
const money240 = { amountMinor: price, currency: 'EUR' };
const cases: [PaymentProvider, Backend][] = [
  ['stripe', 'redis'],
  ['paypal', 'postgres'],
];

describe.each(cases)('the ledger beside the books of %s, on %s', (provider, backend) => {
  let money: MoneyEngine;
  /** The provider's own site, as far as we are concerned: what is done there, is not done by the engine. */
  let site: PaymentGateway;
  let closeSite: () => void;

  beforeAll(async () => {
    money = await startMoneyEngine(backend, { roles: [] });
    await money.engine.api.addBot();
    const { gateways, close } = openGateways(money.engine.config.payments);
    site = gateways[provider] ?? expect.fail(`no ${provider}`);
    closeSite = close;
  });
  afterAll(async () => {
    closeSite();
    await money.close();
  });
  beforeEach(() => money.sandbox.faults.clear());

  const query = (text: string, values?: unknown[]) => money.engine.database.query(text, values);

  /** With the workers at work for as long as this takes; after that, only the reconciliation looks at payments. */
  async function withWorkers<T>(work: () => Promise<T>): Promise<T> {
    const workers = await money.engine.startWorkers(['bots', 'payments', 'relay'], { BOT_PROCESSING_MS: '10' });
    try {
      return await work();
    } finally {
      await workers.close();
    }
  }
  const pay = async () => {
    const order = await money.placeOnline(provider);
    money.pay(order);
    return order;
  };
  const captured = () => withWorkers(async () => money.untilAt((await pay()).number, 'complete', 'captured'));
  /** Held, and the order waits for a bot. */
  const held = async () => {
    const workers = await money.engine.startWorkers(['payments', 'relay']);
    try {
      return await money.untilAt((await pay()).number, 'pending', 'authorised');
    } finally {
      await workers.close();
    }
  };
  const referencesOf = async ({ number }: Order): Promise<PaymentReferences> => {
    const [references] = await query(
      `SELECT checkout_reference AS checkout, authorisation_reference AS authorisation, capture_reference AS capture
       FROM payments WHERE order_number = $1`,
      [number],
    );
    return references as unknown as PaymentReferences;
  };
  const change = (table: 'payments' | 'orders', { number }: Order, changes: string) =>
    query(`UPDATE ${table} SET ${changes} WHERE ${table === 'orders' ? 'number' : 'order_number'} = ${number}`);

  const reconcile = async (time: { from?: string; to?: string } = {}): Promise<Reconciliation> => {
    const body = { from: new Date(Date.now() - hour).toISOString(), to: new Date().toISOString(), ...time };
    const answer = await money.engine.api.call<Reconciliation>('POST', '/v1/admin/reconciliation', {
      headers: adminHeader,
      body,
    });
    expect(answer.body).toMatchObject({ counts: expect.anything() });
    return answer.body;
  };
  const read = async () =>
    (await money.engine.api.call<Reconciliation>('GET', '/v1/admin/reconciliation', { as: manager })).body;
  const differencesOf = ({ number }: Order, { differences }: Pick<Reconciliation, 'differences'>) =>
    differences.filter(({ orderNumber, resolvedAt }) => orderNumber === number && resolvedAt === null);
  const resolvedOf = ({ number }: Order, { differences }: Pick<Reconciliation, 'differences'>) =>
    differences.filter(({ orderNumber, resolvedAt }) => orderNumber === number && resolvedAt !== null);

  /** Money taken at the provider's site, for whatever payment it names. */
  async function sellElsewhere(paymentId: string): Promise<PaymentReferences> {
    const { reference } = await site.createCheckout({
      paymentId,
      orderNumber: 99,
      amount: { amountMinor: 500, currency: 'EUR' },
      expiresAt: new Date(Date.now() + 2 * hour),
      successUrl: 'https://shop.example/success',
      cancelUrl: 'https://shop.example/cancel',
      idempotencyKey: randomUUID(),
    });
    money.sandbox.pay(reference);
    const references: PaymentReferences = { checkout: reference, authorisation: null, capture: null };
    if ((await site.read(references)).checkout === 'approved') await site.authorise(references, randomUUID());
    references.authorisation = (await site.read(references)).authorisation?.reference ?? null;
    await site.capture(references, { amountMinor: 500, currency: 'EUR' }, randomUUID());
    references.capture = (await site.read(references)).capture?.reference ?? null;
    return references;
  }
  const refundAtTheirSite = async (order: Order, amountMinor: number) =>
    site.refund(
      await referencesOf(order),
      { operationId: randomUUID(), amount: { amountMinor, currency: 'EUR' } },
      randomUUID(),
    );

  it('agrees on what was captured and given back, and only counts what was sold elsewhere', async () => {
    const order = await captured();
    await withWorkers(async () => {
      await money.engine.api.call('POST', `/v1/orders/${order.number}/refunds`, {
        as: manager,
        body: { amount: { amountMinor: 40, currency: 'EUR' } },
      });
      await money.untilAt(order.number, 'complete', 'partially_refunded');
    });
    await sellElsewhere('till-7');
    const done = await reconcile();
    expect(done.differences).toEqual([]);
    expect(done.counts).toMatchObject({ movements: 3, ofOthers: 1, compared: 1, found: 0, open: 0, failed: 0 });
    expect(done.runs.find((run) => run.provider === provider)).toMatchObject({
      state: 'done',
      movements: 3,
      ofOthers: 1,
    });
    expect((await read()).runs).toEqual(done.runs);
  });

  it('mends what was only behind, before it is a difference', async () => {
    const order = await captured();
    await refundAtTheirSite(order, price);
    expect(differencesOf(order, await reconcile())).toEqual([]);
    expect((await money.engine.api.order(order.number)).payment.status).toBe('refunded');
  });

  it('finds what we say was taken and they do not have, until it agrees again', async () => {
    const order = await held();
    await change(
      'payments',
      order,
      `status = 'captured', captured_minor = ${price}, captured_at = now() - interval '1 second'`,
    );
    const [found, ...more] = differencesOf(order, await reconcile());
    expect(more).toEqual([]);
    expect(found).toMatchObject({
      kind: 'missing_at_provider',
      provider,
      about: 'capture',
      ours: money240,
      theirs: { amountMinor: 0, currency: 'EUR' },
      owner: 'manager',
      whatToDo: expect.stringContaining(`2.40 EUR was taken for order ${order.number}`),
    });
    expect(found?.reference).toBe((await referencesOf(order)).authorisation);

    const again = differencesOf(order, await reconcile());
    expect(again).toEqual([{ ...found, lastSeenAt: expect.any(String) }]);
    expect(Date.parse(again[0]?.lastSeenAt ?? '')).toBeGreaterThan(Date.parse(found?.lastSeenAt ?? ''));

    const before = {
      from: new Date(Date.now() - 9 * hour).toISOString(),
      to: new Date(Date.now() - 8 * hour).toISOString(),
    };
    await change('payments', order, `status = 'authorised', captured_minor = 0, captured_at = NULL`);
    expect(differencesOf(order, await reconcile(before)), 'by another time').toHaveLength(1);
    const mended = await reconcile();
    expect(differencesOf(order, mended)).toEqual([]);
    expect(resolvedOf(order, mended)).toMatchObject([{ id: found?.id }]);
  });

  it('finds what their books should have by now, though the payment itself looks well', async () => {
    const order = await captured();
    const times = `captured_at = now() - interval '2 days', authorised_at = now() - interval '50 hours'`;
    await change('payments', order, times);
    await query(`UPDATE payment_operations SET first_asked_at = now() - interval '49 hours'
      WHERE type = 'capture' AND payment_id = (SELECT id FROM payments WHERE order_number = ${order.number})`);
    const dayOfCapture = {
      from: new Date(Date.now() - 72 * hour).toISOString(),
      to: new Date(Date.now() - 24 * hour).toISOString(),
    };
    expect(differencesOf(order, await reconcile(dayOfCapture))).toMatchObject([
      { kind: 'missing_at_provider', about: 'capture', ours: money240 },
    ]);
    expect(differencesOf(order, await reconcile({ from: dayOfCapture.from }))).toEqual([]);
  });

  it('finds money taken for a payment that we never had, and its refund', async () => {
    const references = await sellElsewhere(randomUUID());
    await site.refund(
      references,
      { operationId: randomUUID(), amount: { amountMinor: 200, currency: 'EUR' } },
      randomUUID(),
    );
    const { differences } = await reconcile();
    const found = differences.filter(({ kind, orderNumber }) => kind === 'unknown_to_us' && orderNumber === null);
    expect(found.map(({ about, theirs }) => [about, theirs?.amountMinor]).sort()).toEqual([
      ['capture', 500],
      ['refund', 200],
    ]);
    expect(found.find(({ about }) => about === 'capture')?.reference).toBe(references.capture);
    await site.refund(
      references,
      { operationId: randomUUID(), amount: { amountMinor: 300, currency: 'EUR' } },
      randomUUID(),
    );
    const ids = found.map(({ id }) => id);
    const settled = (await reconcile()).differences.filter(({ id }) => ids.includes(id));
    expect(settled.map(({ resolvedAt }) => resolvedAt)).toEqual([expect.any(String), expect.any(String)]);
  });

  it('finds money taken twice for one order', async () => {
    const order = await captured();
    const [row] = await query('SELECT id FROM payments WHERE order_number = $1', [order.number]);
    const second = await sellElsewhere((row as { id: string }).id);
    expect(differencesOf(order, await reconcile())).toMatchObject([
      { kind: 'unknown_to_us', about: 'capture', reference: second.capture, theirs: { amountMinor: 500 } },
    ]);
    await site.refund(
      second,
      { operationId: randomUUID(), amount: { amountMinor: 500, currency: 'EUR' } },
      randomUUID(),
    );
    expect(differencesOf(order, await reconcile()), 'given back').toEqual([]);
  });

  it('finds another amount given back', async () => {
    const order = await captured();
    await refundAtTheirSite(order, 100);
    await change('payments', order, `status = 'refunded', refunded_minor = ${price}`);
    expect(differencesOf(order, await reconcile())).toMatchObject([
      { kind: 'amount_differs', about: 'refund', ours: money240, theirs: { amountMinor: 100, currency: 'EUR' } },
    ]);
  });

  it('finds a complete order whose money was refused, until it is taken', async () => {
    const order = await held();
    money.sandbox.faults.add({ operation: 'capture', kind: 'capture_declined', orderNumber: order.number });
    await withWorkers(() =>
      until('the capture refused', async () => {
        const failed = await query(
          `SELECT FROM payment_operations o JOIN payments p ON p.id = o.payment_id
           WHERE o.state = 'failed' AND o.type = 'capture' AND p.order_number = $1`,
          [order.number],
        );
        return failed.length > 0;
      }),
    );
    expect(differencesOf(order, await reconcile())).toMatchObject([
      { kind: 'operation_stuck', about: 'capture', owner: 'admin', whatToDo: expect.stringContaining('declined') },
    ]);
    await change('orders', order, `completed_at = now() - interval '20 minutes'`);
    expect(differencesOf(order, await reconcile())).toMatchObject([
      { kind: 'capture_overdue', ours: money240, theirs: null },
    ]);

    await site.capture(await referencesOf(order), money240, randomUUID());
    const mended = await reconcile();
    expect(differencesOf(order, mended)).toEqual([]);
    expect(
      resolvedOf(order, mended)
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual(['capture_overdue', 'operation_stuck']);
    expect(money.moved(order.number)).toEqual([`authorised ${price} EUR`, `captured ${price} EUR`]);
  });

  it('finds a hold that was not let go, while the provider says nothing', async () => {
    const order = await held();
    money.sandbox.faults.add({ operation: 'void', kind: 'unavailable', times: 1_000 });
    expect(await money.cancel(order.number)).toBe(200);
    await change('orders', order, `cancelled_at = now() - interval '20 minutes'`);
    expect(differencesOf(order, await reconcile())).toMatchObject([{ kind: 'hold_not_released', ours: money240 }]);
    money.sandbox.faults.clear();
    const mended = await reconcile();
    expect(differencesOf(order, mended)).toEqual([]);
    expect(resolvedOf(order, mended)).toHaveLength(1);
    expect(money.moved(order.number)).toEqual([`authorised ${price} EUR`, `voided ${price} EUR`]);
  });

  it('finds money of a cancelled order that was not given back', async () => {
    const order = await captured();
    money.sandbox.faults.add({ operation: 'refund', kind: 'unavailable', times: 1_000 });
    await change(
      'orders',
      order,
      `status = 'cancelled', completed_at = NULL, cancelled_at = now() - interval '4 days'`,
    );
    expect(differencesOf(order, await reconcile())).toMatchObject([{ kind: 'money_not_returned', ours: money240 }]);
    money.sandbox.faults.clear();
    expect(differencesOf(order, await reconcile())).toEqual([]);
    expect((await money.engine.api.order(order.number)).payment.status).toBe('refunded');
  });

  it('finds a step whose end was never heard', async () => {
    const order = await captured();
    money.sandbox.faults.add({ operation: 'refund', kind: 'unavailable', times: 1_000 });
    const refund = await money.engine.api.call('POST', `/v1/orders/${order.number}/refunds`, { as: manager, body: {} });
    expect(refund.status).toBe(201);
    await query(`UPDATE payment_operations SET created_at = now() - interval '20 minutes'
      WHERE type = 'refund' AND payment_id = (SELECT id FROM payments WHERE order_number = ${order.number})`);
    await reconcile(); // the refund that is not answered
    await query(`UPDATE payment_operations SET first_asked_at = now() - interval '20 minutes'
      WHERE type = 'refund' AND payment_id = (SELECT id FROM payments WHERE order_number = ${order.number})`);
    expect(differencesOf(order, await reconcile())).toMatchObject([{ kind: 'operation_stuck', about: 'refund' }]);
    money.sandbox.faults.clear();
    expect(differencesOf(order, await reconcile())).toEqual([]);
    expect(money.moved(order.number).filter((line) => line.startsWith('refunded'))).toEqual([`refunded ${price} EUR`]);
  });

  it('finds what a provider told of, and nobody knows', async () => {
    const paymentId = randomUUID();
    await withWorkers(async () => {
      await sellElsewhere(paymentId);
      await money.sandbox.webhooks.idle();
      await expect
        .poll(
          async () =>
            (await query(`SELECT FROM webhook_events WHERE payment_id = $1 AND state = 'parked'`, [paymentId])).length,
        )
        .toBeGreaterThan(0);
    });
    const parked = ({ differences }: Reconciliation) =>
      differences.filter(({ kind, resolvedAt }) => kind === 'webhook_parked' && resolvedAt === null);
    expect(parked(await reconcile())).toEqual([]);
    await query(`UPDATE webhook_events SET received_at = now() - interval '2 hours' WHERE payment_id = $1`, [
      paymentId,
    ]);
    expect(parked(await reconcile()).length).toBeGreaterThan(0);
    await query(`UPDATE webhook_events SET state = 'discarded', next_try_at = NULL WHERE payment_id = $1`, [paymentId]);
    expect(parked(await reconcile())).toEqual([]);
  });

  it('writes down why a provider could not be compared, and compares the other', async () => {
    money.sandbox.faults.add({ provider, operation: 'any', kind: 'unavailable', times: 1_000 });
    const open = (await read()).differences.filter(({ resolvedAt }) => resolvedAt === null).map(({ id }) => id);
    const { runs, counts, differences } = await reconcile();
    const [first, second] = runs;
    expect(counts.failed).toBe(1);
    expect([first, second].find((run) => run?.provider === provider)).toMatchObject({
      state: 'failed',
      failure: expect.any(String),
    });
    expect([first, second].find((run) => run?.provider !== provider)).toMatchObject({ state: 'done', failure: null });
    const stillOpen = differences.filter(({ resolvedAt }) => resolvedAt === null).map(({ id }) => id);
    expect(stillOpen, 'what could not be compared is not resolved').toEqual(expect.arrayContaining(open));
  });

  it('is made by one at a time, and one that was interrupted is said to be', async () => {
    await query(
      `INSERT INTO reconciliation_runs (provider, from_time, to_time) VALUES ($1, now() - interval '1 day', now())`,
      [provider],
    );
    expect((await read()).runs[0]).toMatchObject({ state: 'running', finishedAt: null });
    await Promise.all([reconcile(), reconcile(), reconcile()]);
    const runs = (await read()).runs.filter((run) => run.provider === provider).reverse();
    expect(runs.find(({ failure }) => failure === 'interrupted')).toMatchObject({ state: 'failed' });
    const latest = runs.slice(-3);
    for (const [index, run] of latest.entries()) {
      const next = latest[index + 1];
      if (next) expect(Date.parse(next.startedAt)).toBeGreaterThanOrEqual(Date.parse(run.finishedAt ?? ''));
    }
  });

  it('takes only a time that can be compared, and writes down who asked', async () => {
    const call = (body: unknown) =>
      money.engine.api.call<{ errors: { path: string }[] }>('POST', '/v1/admin/reconciliation', {
        headers: adminHeader,
        body,
      });
    const at = (ms: number) => new Date(Date.now() + ms).toISOString();
    for (const [body, path] of [
      [{ to: at(hour) }, 'to'],
      [{ from: at(-hour), to: at(-2 * hour) }, 'from'],
      [{ from: at(-9_000 * hour) }, 'from'],
      [{ from: 'yesterday' }, 'from'],
    ] as const)
      expect(await call(body)).toMatchObject({ status: 400, body: { errors: [{ path }] } });
    const usual = await money.engine.api.call<Reconciliation>('POST', '/v1/admin/reconciliation', {
      headers: adminHeader,
    });
    expect(usual.status).toBe(200);
    const run = usual.body.runs.find((one) => one.provider === provider);
    const lagMs = Date.now() - Date.parse(run?.to ?? '');
    expect(lagMs).toBeGreaterThan(provider === 'paypal' ? 3 * hour : 60_000);
    const audit = await money.engine.api.call<{ events: { actor: { name: string } }[] }>(
      'GET',
      '/v1/admin/audit?action=payments_reconciled',
      { as: manager },
    );
    expect(audit.body.events[0]).toMatchObject({ actor: { kind: 'admin', name: 'admin' } });
  });

  describe('at the command line', () => {
    const run = (command: string, options: Partial<RunOptions> = {}) =>
      runCaptured(command.split(' '), {
        env: { TWOLANE_URL: money.engine.web.url, ADMIN_USERNAME: 'admin', ADMIN_PASSWORD: 'twolane-demo' },
        ...options,
      });

    it('lists what to do about each difference, and exits with 1 as long as there is one', async () => {
      const order = await held();
      await change(
        'payments',
        order,
        `status = 'captured', captured_minor = ${price}, captured_at = now() - interval '1 second'`,
      );
      const until = new Date().toISOString();
      const found = await run(`payments reconcile --since 1h --until ${until}`);
      expect(found).toMatchObject({ exitCode: 1, stderr: '' });
      expect(found.stdout).toMatch(new RegExp(`^${provider}: [1-9]\\d* differences?, `, 'm'));
      expect(found.stdout).toMatch(
        new RegExp(`${provider} +${order.number} +capture: missing at provider +€2.40 +€0.00`),
      );
      expect(found.stdout).toContain(`2.40 EUR was taken for order ${order.number}`);

      await change('payments', order, `status = 'authorised', captured_minor = 0, captured_at = NULL`);
      const later = await run('payments reconcile --since 9h --until 8h --json');
      expect(later.exitCode, 'still open').toBe(1);
      expect(differencesOf(order, JSON.parse(later.stdout) as Reconciliation)).toHaveLength(1);
      await query('UPDATE reconciliation_differences SET resolved_at = now() WHERE resolved_at IS NULL');
      const last = await run('payments reconcile --since 9h --until 8h');
      expect(last).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('nothing is open') });
    });

    it('draws how far it is where a person looks', async () => {
      const { stdout, exitCode } = await run('payments reconcile --since 1m', { isTty: true });
      expect([0, 1]).toContain(exitCode);
      expect(stdout).toMatch(/stripe: .*; \d+ payments?, \d+ movement/);
      expect(stdout).toMatch(/paypal: .*; \d+ payments?, \d+ movement/);
    });

    it('says what is wrong with a time', async () => {
      expect(await run('payments reconcile --since yesterday')).toMatchObject({ exitCode: 2 });
      const future = await run('payments reconcile --until 2999-01-01');
      expect(future).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('to: is in the future') });
    });
  });
});
