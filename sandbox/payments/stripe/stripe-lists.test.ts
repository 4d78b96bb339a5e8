import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PaymentSandbox, startPaymentSandbox } from '../payment-sandbox.ts';
import { openStripeShop, type StripeShop } from './stripe-shop.ts';

let sandbox: PaymentSandbox;
let shop: StripeShop;
beforeAll(async () => {
  sandbox = await startPaymentSandbox({ seed: 'stripe lists' });
  shop = openStripeShop(sandbox);
});
afterAll(() => sandbox.close());

describe('the door', () => {
  it('lets nobody in without the key', async () => {
    const session = await shop.checkout();
    const path = `${sandbox.url}/v1/checkout/sessions/${session.id}`;
    for (const authorization of [undefined, 'Bearer sk_test_other']) {
      const answer = await fetch(path, { headers: authorization === undefined ? {} : { authorization } });
      expect(answer.status).toBe(401);
      expect(await answer.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
    }
  });

  it('says in Stripe’s envelope that it has no such path or object', async () => {
    const answer = await fetch(`${sandbox.url}/v1/payouts`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ error: { message: expect.stringContaining('/v1/payouts') } });
    await expect(shop.stripe.checkout.sessions.retrieve('cs_none')).rejects.toMatchObject({
      code: 'resource_missing',
      statusCode: 404,
      requestId: expect.stringMatching(/^req_/),
    });
  });

  it('expands what can be expanded, and nothing else', async () => {
    const session = await shop.checkout();
    const shown = await shop.stripe.checkout.sessions.retrieve(session.id, {
      expand: ['line_items', 'payment_intent'],
    });
    expect(shown.line_items?.data).toMatchObject([{ amount_total: 1250 }]);
    await expect(shop.stripe.checkout.sessions.retrieve(session.id, { expand: ['weather'] })).rejects.toMatchObject({
      statusCode: 400,
    });
  });
});

describe('lists', () => {
  it('come newest first, page by page, both ways', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 5; count++) ids.push((await shop.hold()).id);
    const newest = ids.toReversed();
    const first = await shop.stripe.paymentIntents.list({ limit: 2 });
    expect(first.data.map(({ id }) => id)).toEqual(newest.slice(0, 2));
    expect(first.has_more).toBe(true);
    const second = await shop.stripe.paymentIntents.list({ limit: 2, starting_after: newest[1] ?? '' });
    expect(second.data.map(({ id }) => id)).toEqual(newest.slice(2, 4));
    const before = await shop.stripe.paymentIntents.list({ limit: 2, ending_before: newest[3] ?? '' });
    expect(before.data.map(({ id }) => id)).toEqual(newest.slice(1, 3));
    expect(before.has_more).toBe(true);
    await expect(shop.stripe.paymentIntents.list({ limit: 101 })).rejects.toMatchObject({ param: 'limit' });
  });

  it('hold what came in a time', async () => {
    const intent = await shop.hold();
    const since = intent.created;
    sandbox.clock.advance(3600_000);
    const later = await shop.hold();
    const { data } = await shop.stripe.charges.list({ created: { gte: since }, limit: 100 });
    const intents = data.map(({ payment_intent }) => payment_intent);
    expect(intents).toContain(later.id);
    expect(intents).not.toContain(intent.id); // an hour older by now
  });

  it('show money that moved, with its source', async () => {
    const intent = await shop.hold();
    const captured = await shop.stripe.paymentIntents.capture(intent.id);
    const refund = await shop.stripe.refunds.create({ payment_intent: intent.id, amount: 250 });
    const { data } = await shop.stripe.balanceTransactions.list({ limit: 2, expand: ['data.source'] });
    expect(data).toMatchObject([
      { type: 'refund', amount: -250, source: { id: refund.id } },
      { type: 'charge', amount: 1250, source: { id: captured.latest_charge } },
    ]);
  });

  it('show events that were not delivered, of the wanted types', async () => {
    const { metadata } = await shop.hold();
    const listed: string[] = [];
    const types = ['payment_intent.amount_capturable_updated', 'checkout.session.completed'];
    for await (const event of shop.stripe.events.list({ delivery_success: false, types, limit: 2 })) {
      const object = event.data.object as { metadata?: Record<string, string> };
      if (object.metadata?.orderNumber === metadata.orderNumber) listed.push(event.type);
    }
    expect(listed).toEqual(types.toReversed());
    expect((await shop.stripe.events.list({ delivery_success: true })).data).toEqual([]);
  });
});
