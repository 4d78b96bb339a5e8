import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type PaymentSandbox, startPaymentSandbox } from './payment-sandbox.ts';
import { openStripeShop, type StripeShop } from './stripe/stripe-shop.ts';

let sandbox: PaymentSandbox;
let shop: StripeShop;
beforeEach(async () => {
  sandbox = await startPaymentSandbox();
  shop = openStripeShop(sandbox);
});
afterEach(() => sandbox.close());

const post = (url: string, body?: unknown) =>
  fetch(url, {
    method: 'POST',
    redirect: 'manual',
    ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
const read = async (path: string): Promise<Record<string, unknown>> => {
  const body: unknown = await (await fetch(sandbox.url + path)).json();
  return { ...Object(body) };
};
/** As a browser sends a form without fields. */
const press = (url: string) =>
  fetch(url, { method: 'POST', redirect: 'manual', headers: { 'content-type': 'application/x-www-form-urlencoded' } });

describe('the checkout page', () => {
  it('shows what is to be paid, says that no money moves, and runs no script', async () => {
    const session = await shop.checkout({ orderNumber: 1042, amount: 123_450 });
    const answer = await fetch(String(session.url));
    const page = await answer.text();
    expect(page).toContain('<h1>Order 1042 · €1,234.50</h1>');
    expect(page).toContain('to shop.test, by what stands in for Stripe');
    expect(page).toContain('No money moves');
    expect(page).not.toMatch(/<script|style=|onclick/);
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("form-action 'self' http://shop.test"); // or the way back would be blocked
    expect((await fetch(`${sandbox.url}/sandbox/checkout.css`)).headers.get('content-type')).toContain('text/css');
  });

  it('takes the customer to the shop after paying, with the session in the address', async () => {
    const session = await shop.checkout();
    const answer = await press(`${session.url}/pay`);
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe(`http://shop.test/paid?session=${session.id}`);
    expect((await shop.intentOf(session.id)).status).toBe('requires_capture');
    expect(await (await fetch(`${sandbox.url}/sandbox/checkout/stripe/${session.id}`)).text()).toContain(
      'This is done',
    );
  });

  it('says that the card was declined, and lets the customer try again', async () => {
    const session = await shop.checkout();
    const answer = await press(`${session.url}/decline`);
    expect(answer.status).toBe(303); // so that a reload declines nothing more
    const page = await (await fetch(sandbox.url + answer.headers.get('location'))).text();
    expect(page).toContain('The card was declined. Nothing was taken.');
    expect(page).toContain('/pay"');
  });

  it('takes the customer back without an end of the checkout', async () => {
    const session = await shop.checkout();
    expect((await press(`${session.url}/cancel`)).headers.get('location')).toBe('http://shop.test/back');
    expect((await shop.stripe.checkout.sessions.retrieve(session.id)).status).toBe('open');
  });

  it('takes nothing once the checkout is over', async () => {
    const { id, url } = await shop.checkout();
    await shop.stripe.checkout.sessions.expire(id);
    const answer = await press(`${url}/pay`);
    expect(answer.headers.get('location')).toBe(new URL(String(url)).pathname);
    const page = await (await fetch(String(url))).text();
    expect(page).toContain('Nothing can be paid here any more');
    expect(page).toContain('href="http://shop.test/back"');
    expect(page).not.toContain('<form');
    expect(sandbox.ledger.entries()).toEqual([]);
  });

  it('is not there for a checkout that is not', async () => {
    expect((await fetch(`${sandbox.url}/sandbox/checkout/stripe/cs_none`)).status).toBe(404);
    expect((await press(`${sandbox.url}/sandbox/checkout/other/cs_none/pay`)).status).toBe(404);
  });
});

describe('the overview', () => {
  it('says what this is, leads to the checkouts that are open, and lists what became of the money', async () => {
    const read = async () => (await fetch(`${sandbox.url}/`)).text();
    expect(await read()).toContain('No checkout is open');
    const session = await shop.checkout({ orderNumber: 1042 });
    const page = await read();
    const [, link = ''] = /<a href="([^"]+)">Order 1042<\/a>/.exec(page) ?? [];
    expect((await fetch(sandbox.url + link)).status).toBe(200);
    expect(page).toContain('€12.50');
    expect(page).toContain('No money moves');

    await press(`${sandbox.url}${link}/pay`);
    const paid = await read();
    expect(paid).not.toContain(session.id);
    expect(paid).toMatch(/<td>authorised<\/td>\s*<td>€12\.50<\/td>/);
    expect(paid).not.toMatch(/<script|style=|onclick/);
  });
});

describe('the control API', () => {
  it('lists open checkouts, and plays the customer', async () => {
    const session = await shop.checkout({ orderNumber: 7 });
    const { checkouts } = await read('/sandbox/checkouts');
    expect(checkouts).toMatchObject([{ provider: 'stripe', reference: session.id, orderNumber: 7, state: 'open' }]);
    const paid = await post(`${sandbox.url}/sandbox/checkouts/${session.id}/pay`);
    expect(await paid.json()).toMatchObject({ state: 'complete' });
    expect((await post(`${sandbox.url}/sandbox/checkouts/${session.id}/pay`)).status).toBe(409);
    expect((await post(`${sandbox.url}/sandbox/checkouts/cs_none/pay`)).status).toBe(404);
    const { entries } = await read('/sandbox/ledger');
    expect(entries).toMatchObject([{ kind: 'authorised', amountMinor: 1250, orderNumber: 7 }]);
  });

  it('moves the clock', async () => {
    const session = await shop.checkout();
    await post(`${sandbox.url}/sandbox/clock`, { advanceMs: 2 * 3600_000 });
    const { events } = await read('/sandbox/events');
    expect(events).toMatchObject([{ type: 'checkout.session.expired', state: 'undelivered' }]);
    expect((await shop.stripe.checkout.sessions.retrieve(session.id)).status).toBe('expired');
    expect((await post(`${sandbox.url}/sandbox/clock`, { advanceMs: -1 })).status).toBe(400);
  });

  it('takes faults, all or none, and lets them go', async () => {
    const wrong = await post(`${sandbox.url}/sandbox/faults`, [
      { operation: 'any', kind: 'unavailable', times: 9 },
      { operation: 'captur', kind: 'unavailable' },
    ]);
    expect(wrong.status).toBe(400);
    expect(await wrong.text()).toContain('operation');
    await shop.checkout();
    await post(`${sandbox.url}/sandbox/faults`, { operation: 'checkout.create', kind: 'unavailable', times: 9 });
    await expect(shop.checkout()).rejects.toMatchObject({ statusCode: 503 });
    await fetch(`${sandbox.url}/sandbox/faults`, { method: 'DELETE' });
    await shop.checkout();
    const { met } = await read('/sandbox/faults');
    expect(met).toMatchObject([{ provider: 'stripe', operation: 'checkout.create', kind: 'unavailable' }]);
  });

  it('raises a storm', async () => {
    const raised = await post(`${sandbox.url}/sandbox/storm`, { seed: 1, rate: 1, kinds: ['unavailable'] });
    expect(raised.status).toBe(204);
    await expect(shop.checkout()).rejects.toMatchObject({ statusCode: 503 });
  });
});

describe('a state file', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'twolane-sandbox-'));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('carries everything over a restart: objects, keys, ledger, events and the clock', async () => {
    const dataFile = path.join(folder, 'sandbox.json');
    const before = await startPaymentSandbox({ dataFile });
    const shopBefore = openStripeShop(before);
    const open = await shopBefore.checkout({ orderNumber: 1, idempotencyKey: 'kept' });
    const intent = await shopBefore.hold();
    before.clock.advance(60_000);
    await before.close();
    expect(readdirSync(folder)).toEqual(['sandbox.json']);

    const after = await startPaymentSandbox({ dataFile });
    const shopAfter = openStripeShop(after);
    expect(after.clock.aheadMs).toBe(60_000);
    expect(await shopAfter.stripe.paymentIntents.retrieve(intent.id)).toMatchObject({ status: 'requires_capture' });
    expect((await shopAfter.stripe.checkout.sessions.retrieve(open.id)).status).toBe('open');
    expect(after.ledger.entries()).toEqual(before.ledger.entries());
    expect(after.webhooks.events()).toEqual(before.webhooks.events());
    expect((await shopAfter.checkout()).id).not.toBe(open.id); // its ids go on where they were
    await after.close();
  });
});
