import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Order } from '../src/domain/order.ts';
import { paymentProviders } from '../src/domain/payment.ts';
import { checkoutOf, type MoneyEngine, startMoneyEngine } from './support/money.ts';
import { until } from './support/until.ts';

let money: MoneyEngine;
let secret: string;
beforeAll(async () => {
  money = await startMoneyEngine('postgres', { roles: ['payments', 'relay'], hasWebhooks: false });
  secret = money.sandbox.settings.STRIPE_WEBHOOK_SECRET ?? '';
});
afterAll(() => money.close());

/** Any path into the web process, as a provider would use it. */
const send = (provider: string, body: string | Buffer, headers: Record<string, string> = {}) =>
  fetch(`${money.engine.web.url}/v1/webhooks/${provider}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: new Uint8Array(Buffer.from(body)),
  });
const sign = (payload: string, options: { timestamp?: number; secret?: string } = {}) => ({
  'stripe-signature': new Stripe('sk_test_x').webhooks.generateTestHeaderString({ payload, secret, ...options }),
});

const event = (more: Record<string, unknown> = {}, object: Record<string, unknown> = {}) =>
  JSON.stringify({
    id: `evt_${randomUUID()}`,
    object: 'event',
    api_version: '2026-10-28.endive',
    created: Math.floor(Date.now() / 1000),
    type: 'payment_intent.canceled',
    data: { object: { id: `pi_${randomUUID()}`, object: 'payment_intent', metadata: {}, ...object } },
    ...more,
  });
const stored = async (body: string) => {
  const rows = await money.engine.database.query<{ state: string; raw: string; kind: string | null }>(
    `SELECT e.state, convert_from(e.raw_body, 'UTF8') AS raw, q.kind FROM webhook_events e LEFT JOIN quarantine q ON q.webhook_event_id = e.id
     WHERE e.event_id = '${(JSON.parse(body) as { id: string }).id}'`,
  );
  return rows;
};
const storedAs = (body: string, state: string) =>
  until(`the event ${state}`, async () => (await stored(body)).find((row) => row.state === state));
const paymentIdOf = async ({ number }: Order) =>
  (await money.engine.database.query<{ id: string }>(`SELECT id FROM orders WHERE number = ${number}`))[0]!.id;

describe('a webhook of Stripe', () => {
  it('is stored once, as it came, and answered 200 also when it comes again', async () => {
    const body = event();
    const headers = sign(body);
    const answers = await Promise.all(Array.from({ length: 20 }, () => send('stripe', body, headers)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect((await send('stripe', body, sign(body))).status, 'signed anew').toBe(200);
    expect(await stored(body)).toMatchObject([{ raw: body }]);
  });

  it.each<[string, (body: string) => Promise<Response>]>([
    ['without a signature', (body) => send('stripe', body)],
    ['with the signature of another secret', (body) => send('stripe', body, sign(body, { secret: 'whsec_another' }))],
    [
      'older than 300 s',
      (body) => send('stripe', body, sign(body, { timestamp: Math.floor(Date.now() / 1000) - 301 })),
    ],
    ['with the signature of another body', (body) => send('stripe', body, sign(event()))],
    [
      'that was parsed and written anew',
      (body) => send('stripe', JSON.stringify(JSON.parse(body), null, 1), sign(body)),
    ],
    ['with a byte more', (body) => send('stripe', `${body} `, sign(body))],
    [
      'without a scheme that is known',
      (body) => send('stripe', body, { 'stripe-signature': sign(body)['stripe-signature'].replace('v1=', 'v0=') }),
    ],
    ['that is not JSON, well signed', () => send('stripe', 'evt', sign('evt'))],
    ['that is JSON of another kind, well signed', () => send('stripe', '[1]', sign('[1]'))],
    ['that is empty', () => send('stripe', '', sign(''))],
    ['of Stripe at the door of PayPal', (body) => send('paypal', body, sign(body))],
  ])('%s is refused and not stored', async (_what, forge) => {
    const body = event();
    const answer = await forge(body);
    expect([answer.status, (await answer.json()) as unknown]).toEqual([
      400,
      expect.objectContaining({ code: 'signature_invalid' }),
    ]);
    expect(await stored(body)).toEqual([]);
  });

  it('that is larger than any event is refused before it is read', async () => {
    const body = event({ padding: 'x'.repeat(600 * 1024) });
    expect((await send('stripe', body, sign(body))).status).toBe(413);
  });

  it('with characters that Postgres cannot hold stops no others', async () => {
    const poisoned = event({}, { metadata: { paymentId: '\u0000', note: '\ud800' } });
    const good = event();
    const answers = await Promise.all([poisoned, good].map((body) => send('stripe', body, sign(body))));
    expect(answers[1]!.status).toBe(200);
    expect(answers[0]!.status).toBeLessThan(500);
    expect(await stored(good)).toHaveLength(1);
  });

  it('about nothing we know is parked, and handled when it is known', async () => {
    const intent = `pi_${randomUUID()}`;
    const body = event({}, { id: intent });
    await send('stripe', body, sign(body));
    await storedAs(body, 'parked');
    const order = await money.placeOnline('stripe');
    await money.engine.database.query(
      `UPDATE payments SET authorisation_reference = '${intent}' WHERE order_number = ${order.number}`,
    );
    await money.engine.database.query("UPDATE webhook_events SET next_try_at = now() WHERE state = 'parked'");
    await storedAs(body, 'handled');
  });

  it('that nobody knows after three days waits for a manager, when it names a payment of ours', async () => {
    const body = event({}, { metadata: { paymentId: randomUUID() } });
    const elsewhere = event();
    for (const one of [body, elsewhere]) {
      await send('stripe', one, sign(one));
      await storedAs(one, 'parked');
    }
    await money.engine.database.query(
      "UPDATE webhook_events SET next_try_at = now(), received_at = now() - interval '73 hours' WHERE state = 'parked'",
    );
    expect(await storedAs(body, 'quarantined')).toMatchObject({ kind: 'object_unknown' });
    expect(await storedAs(elsewhere, 'discarded'), 'of another shop with the same account').toMatchObject({
      raw: elsewhere,
    });
  });

  it('is answered when it is stored, and not before', async () => {
    const client = new pg.Client(money.engine.database.url);
    await client.connect();
    await client.query('BEGIN; LOCK TABLE webhook_events IN ACCESS EXCLUSIVE MODE');
    const body = event();
    let status = 0;
    const answer = send('stripe', body, sign(body)).then((response) => (status = response.status));
    await delay(300);
    expect(status, 'while nothing can be written').toBe(0);
    await client.query('COMMIT');
    expect(await answer).toBe(200);
    await client.end();
    expect(await stored(body)).toHaveLength(1);
  });

  it('of another kind than we follow is kept and done with', async () => {
    const body = event({ type: 'customer.created' }, { id: 'cus_1', object: 'customer' });
    expect((await send('stripe', body, sign(body))).status).toBe(200);
    await storedAs(body, 'handled');
  });

  it.each([
    ['amount_differs', { amount_total: 241, currency: 'eur' }],
    ['currency_differs', { amount_total: 240, currency: 'usd' }],
  ])('that names another amount is quarantined: %s', async (kind, amount) => {
    const order = await money.placeOnline('stripe');
    const object = {
      id: checkoutOf(order),
      object: 'checkout.session',
      metadata: { paymentId: await paymentIdOf(order) },
      ...amount,
    };
    const body = event({ type: 'checkout.session.completed' }, object);
    await send('stripe', body, sign(body));
    expect(await storedAs(body, 'quarantined')).toMatchObject({ kind });
    expect(await money.engine.api.order(order.number)).toMatchObject({ status: 'awaiting_payment' });
  });

  it('claims what is not so: only the object counts', async () => {
    const order = await money.placeOnline('stripe');
    const object = {
      id: `pi_${randomUUID()}`,
      status: 'requires_capture',
      amount: 240,
      currency: 'eur',
      metadata: { paymentId: await paymentIdOf(order) },
    };
    const body = event({ type: 'payment_intent.amount_capturable_updated' }, object);
    await send('stripe', body, sign(body));
    await storedAs(body, 'handled');
    await untilLookedAt(order);
    expect(await money.engine.api.order(order.number)).toMatchObject({ status: 'awaiting_payment' });
  });
});

const untilLookedAt = ({ number }: Order) =>
  until('a look', async () => {
    const [row] = await money.engine.database.query<{ seen: boolean }>(
      `SELECT sync_no = synced_no AND sync_no > 1 AS seen FROM payments WHERE order_number = ${number}`,
    );
    return row?.seen;
  });

describe.each(paymentProviders)('what %s tells', (provider) => {
  it.each(['lost', 'doubled', 'reordered'] as const)('leads to the same when it is %s', async (kind) => {
    const { sandbox, engine } = money;
    sandbox.sendTo({ [provider]: `${engine.web.url}/v1/webhooks/${provider}` });
    sandbox.faults.add({ provider, webhook: 'any', kind, times: 100 });
    const order = await money.placeOnline(provider);
    money.pay(order);
    await until('the order paid', async () => {
      // The return page asks again by itself.
      if (kind === 'lost') await fetch(`${engine.web.url}/v1/checkout/success?order=${order.number}`);
      return (await engine.api.order(order.number)).status === 'pending';
    });
    sandbox.faults.clear();
    expect(await money.cancel(order.number)).toBe(200);
    await money.untilAt(order.number, 'cancelled', 'voided');
    expect(money.moved(order.number)).toEqual(['authorised 240 EUR', 'voided 240 EUR']);
  });
});

it('finds by itself what Stripe could not deliver, and handles it once', async () => {
  const { sandbox, engine } = money;
  sandbox.sendTo({ stripe: 'http://127.0.0.1:9/nobody' });
  const order = await money.placeOnline('stripe');
  money.pay(order);
  const queue = await import('../queues/backend.ts');
  const store = queue.openQueueStore({
    databaseUrl: engine.config.databaseUrl,
    redisUrl: null,
    prefix: engine.config.queuePrefix,
    role: 'producer',
    onError: () => undefined,
  });
  await store.queue('housekeeping').add('missed-events', { task: 'missed-events' });
  await money.untilAt(order.number, 'pending', 'authorised');
  const rows = await engine.database.query<{ source: string }>(
    `SELECT source FROM webhook_events WHERE payment_id = (SELECT id FROM orders WHERE number = ${order.number})`,
  );
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.every(({ source }) => source === 'list')).toBe(true);
  await store.close();
});

it('counts on the raw body alone: a signature made by hand fits', async () => {
  const body = event();
  const time = Math.floor(Date.now() / 1000);
  const signature = createHmac('sha256', secret).update(`${time}.${body}`).digest('hex');
  expect((await send('stripe', body, { 'stripe-signature': `t=${time},v1=${signature}` })).status).toBe(200);
});
