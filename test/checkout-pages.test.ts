import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Order } from '../src/domain/order.ts';
import type { orderStatuses } from '../src/domain/order-status.ts';
import { paymentStatuses } from '../src/domain/payment.ts';
import { checkoutPage, wordsFor } from '../src/http/checkout-page.ts';
import { normal } from './support/api.ts';
import { backends } from './support/engine.ts';
import { checkoutOf, type MoneyEngine, startMoneyEngine } from './support/money.ts';
import { until } from './support/until.ts';

describe.each(backends)('where a customer comes back to, on %s', (backend) => {
  let money: MoneyEngine;
  beforeAll(async () => {
    // Nothing is heard of a payment by itself: what is found out here, the page has asked for.
    money = await startMoneyEngine(backend, { roles: ['payments', 'relay'], hasWebhooks: false });
  });
  afterAll(() => money.close());

  const page = (way: string, order: number | string, accept = 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8') =>
    fetch(new URL(`/v1/checkout/${way}?order=${order}`, money.engine.web.url), { headers: { accept } });
  const json = (way: string, order: number | string) =>
    money.engine.api.call<{ order: Partial<Order>; code?: string }>('GET', `/v1/checkout/${way}?order=${order}`);
  const syncNo = async (number: number) => {
    const [row] = await money.engine.database.query<{ sync_no: number; synced_no: number }>(
      'SELECT sync_no, synced_no FROM payments WHERE order_number = $1',
      [number],
    );
    return row ?? expect.fail(`no payment of order ${number}`);
  };
  const age = (number: number) =>
    money.engine.database.query(
      "UPDATE payments SET updated_at = updated_at - interval '3 seconds' WHERE order_number = $1",
      [number],
    );

  it.each(['stripe', 'paypal'] as const)('has the payment looked at after paying by %s', async (provider) => {
    const { number, ...order } = await money.placeOnline(provider);
    await age(number);
    const waiting = await page('success', number);
    expect(waiting.status).toBe(200);
    expect(await waiting.text()).toMatch(/http-equiv="refresh" content="2;url=\?order=\d+&amp;round=1"/);
    await until('looked at', async () => (await syncNo(number)).synced_no === 2);

    money.pay({ number, ...order });
    await age(number);
    const shown = await until('in the queue', async () => {
      const { body } = await json('success', number);
      return body.order.status === 'pending' && body;
    });
    expect(shown).toEqual({ order: { number, status: 'pending', payment: { status: 'authorised' } } });
    const paid = await (await page('success', number)).text();
    expect(paid).toContain(`Your number is ${number}.`);
    expect(paid).toContain('<a href="/">');
    expect(paid).toContain('http-equiv="refresh" content="10;'); // until it is ready
  });

  it('asks for one look however many pages are open, and none soon after one', async () => {
    const { number } = await money.placeOnline('stripe');
    const before = await syncNo(number);
    await json('success', number); // the checkout was opened a moment ago
    expect(await syncNo(number)).toEqual(before);
    await age(number);
    await Promise.all(Array.from({ length: 30 }, () => json('success', number)));
    expect((await syncNo(number)).sync_no).toBe(before.sync_no + 1);
  });

  it('asks for none after coming back without paying, and changes nothing', async () => {
    const order = await money.placeOnline('stripe');
    await age(order.number);
    const text = await (await page('cancel', order.number)).text();
    expect(text).toContain('nothing was taken');
    expect(text).not.toContain('refresh');
    expect((await syncNo(order.number)).sync_no).toBe(1);
    expect(await money.engine.api.order(order.number)).toMatchObject({ status: 'awaiting_payment' });
    expect((await page('cancel', order.number)).headers.get('location')).toBeNull();
  });

  it('gives away neither who ordered what nor where it is paid, and runs no script', async () => {
    const order = await money.placeOnline('paypal');
    for (const way of ['success', 'cancel']) {
      const answer = await page(way, order.number);
      const text = await answer.text();
      for (const secret of [normal, checkoutOf(order), order.payment.reference ?? 'none', 'Espresso', '2.40'])
        expect(text).not.toContain(secret);
      expect(text).not.toMatch(/<script|style=| on\w+=/);
      expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.headers.get('vary')).toBe('Accept');
      for (const [, asset = ''] of text.matchAll(/(?:href|src)="(\/assets[^"]+)"/g))
        expect((await fetch(new URL(asset, money.engine.web.url))).status, asset).toBe(200);
    }
  });

  it('takes what PayPal adds to the address', async () => {
    const { number } = await money.placeOnline('paypal');
    expect((await page('success', `${number}&token=5O1&PayerID=AB`)).status).toBe(200);
    expect((await json('success', `${number}&token=5O1&PayerID=AB`)).status).toBe(200);
  });

  it('knows nothing of orders that are paid at the counter, of none and of nonsense', async () => {
    const { number } = await money.engine.api.place();
    for (const unknown of [number, 999_999, '', 'abc', '-1', '1e3', '99999999999999999999', '%3Cscript%3E']) {
      const answer = await page('success', unknown);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
      expect(await answer.text()).toContain('No such order');
      expect(await json('cancel', unknown)).toMatchObject({ status: 404, body: { code: 'order_not_found' } });
    }
    expect((await json('success', '1&order=2')).status).toBe(400);
  });
});

describe('what a customer is told who is back', () => {
  const ways = ['success', 'cancel'] as const;
  const order = (
    status: (typeof orderStatuses)[number],
    payment: (typeof paymentStatuses)[number],
    failureReason: string | null = null,
  ) => ({ number: 1042, status, failureReason, payment: { status: payment } });

  it('never says paid where it is not, nor lost where money was taken', () => {
    for (const way of ways)
      for (const payment of paymentStatuses)
        for (const reason of [null, 'payment_declined', 'payment_refused', 'payment_expired']) {
          expect(wordsFor(way, order('awaiting_payment', payment)).text).not.toMatch(/is paid/);
          const { text } = wordsFor(way, order('cancelled', payment, reason));
          const isTaken = ['captured', 'partially_refunded', 'refunded'].includes(payment);
          expect(/nothing was taken/i.test(text), payment).toBe(!isTaken);
        }
  });

  it('says that a payment was declined, and not so of one that nobody made', () => {
    const said = (reason: string) => wordsFor('success', order('cancelled', 'failed', reason)).text;
    expect(said('payment_declined')).toMatch(/was declined, and nothing was taken/);
    expect(said('payment_expired')).not.toContain('declined');
  });

  it('says of a complete order how much of its money was given back', () => {
    const said = (payment: (typeof paymentStatuses)[number]) => wordsFor('success', order('complete', payment)).text;
    expect(said('captured')).not.toContain('given back');
    expect(said('partially_refunded')).toContain('A part of your money was given back');
    expect(said('refunded')).toContain('all your money was given back');
  });

  it('sends back to the tab or to the shop whoever came back without paying', () => {
    expect(wordsFor('cancel', order('awaiting_payment', 'requires_payment')).text).toMatch(/the tab .* shop/);
  });

  it('looks again by itself only while that may change something, and as often as it makes sense', () => {
    const page = (status: (typeof orderStatuses)[number], round = 0) =>
      checkoutPage('success', order(status, 'authorised'), { round, shopName: 'Café' });
    for (const status of ['complete', 'failed', 'cancelled'] as const) expect(page(status)).not.toContain('refresh');
    for (const status of ['pending', 'processing'] as const) expect(page(status, 99)).toContain('content="10;url=');
    expect(page('awaiting_payment')).toContain('content="2;url=');
    expect(page('awaiting_payment', 30)).toContain('content="15;url=');
    const unpaid = order('awaiting_payment', 'requires_payment');
    expect(checkoutPage('cancel', unpaid, { round: 0, shopName: 'Café' })).not.toContain('refresh');
  });

  it('carries the name of the shop, whatever is in it', () => {
    const page = checkoutPage('success', order('pending', 'authorised'), { round: 0, shopName: 'Tom & <b>Co' });
    expect(page).toContain('>Tom &amp; &lt;b&gt;Co</p>');
  });
});
