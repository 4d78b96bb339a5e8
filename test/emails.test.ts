import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { manager, normal } from './support/api.ts';
import { backends } from './support/engine.ts';
import { type MailEngine, openTestStore, type Post, startMailEngine, startPost } from './support/mail.ts';
import { until } from './support/until.ts';

describe.each(backends)('what customers are told, on %s', (backend) => {
  let shop: MailEngine;
  let post: Post;
  beforeAll(async () => {
    shop = await startMailEngine(backend, { roles: ['bots', 'payments', 'relay'] });
    post = await startPost(shop.engine, { retryFromMs: 100 });
  });
  afterAll(async () => {
    await post.close();
    await shop.close();
  });

  it('tells of each step of a paid order once, with its receipt, and of money that goes back', async () => {
    await shop.engine.api.addBot();
    const order = await shop.placeOnline('stripe');
    shop.pay(order);
    await shop.untilAt(order.number, 'complete', 'captured');
    const receipt = await shop.mailOf('receipt', order.number);
    expect(receipt.envelope.to).toEqual([normal]);
    expect(receipt.attachments.map(({ fileName }) => fileName)).toEqual([`receipt-${order.number}.pdf`]);
    expect(receipt.attachments[0]?.content.subarray(0, 5).toString()).toBe('%PDF-');
    const refund = (amountMinor: number, reason: string) =>
      shop.engine.api.call('POST', `/v1/orders/${order.number}/refunds`, {
        as: manager,
        body: { amount: { amountMinor, currency: 'EUR' }, reason },
      });
    expect((await refund(100, 'a chipped cup')).status).toBe(201);
    await shop.untilAt(order.number, 'complete', 'partially_refunded');
    expect((await refund(140, 'cold by then')).status).toBe(201);
    await shop.untilAt(order.number, 'complete', 'refunded');
    await shop.untilQuiet();
    expect(shop.kindsOf(order.number)).toEqual([
      'order_confirmed',
      'order_ready',
      'order_refunded',
      'order_refunded',
      'receipt',
    ]);
    const refunds = shop.mail.mails().filter(({ kind }) => kind === 'order_refunded');
    const amounts = refunds.map(({ text }) => text?.match(/\d+\.\d\d(?=\n)/g)?.slice(0, 2)); // this one, and in all
    expect(amounts.sort()).toEqual([
      ['1.00', '1.00'],
      ['1.40', '2.40'],
    ]);
    expect(refunds.map(({ text }) => text?.match(/The reason given:\n> (.*)/)?.[1]).sort()).toEqual([
      'a chipped cup',
      'cold by then',
    ]);
    const confirmed = await shop.mailOf('order_confirmed', order.number);
    expect(confirmed.text).toMatch(new RegExp(`\nhttp\\S+/v1/checkout/success\\?order=${order.number}\n`));
    const told = (await shop.engine.api.events(order.number)).filter(({ type }) => type === 'email_sent');
    expect(told).toHaveLength(5);
    expect(told.map(({ detail }) => detail)).toContainEqual({ kind: 'order_confirmed', to: 'n…@twolane.test' });
  });

  it('says that an order was cancelled and why, and nothing of one that was never paid for', async () => {
    await shop.engine.api.removeBot();
    const [counter, online] = [await shop.engine.api.place(), await shop.placeOnline('stripe')];
    const body = { reason: 'I have changed my mind' };
    for (const { number } of [counter, online])
      await shop.engine.api.call('POST', `/v1/orders/${number}/cancel`, { as: normal, body });
    expect((await shop.mailOf('order_cancelled', counter.number)).text).toContain(body.reason);
    await shop.untilQuiet();
    expect(shop.kindsOf(counter.number)).toEqual(['order_cancelled', 'order_confirmed']);
    expect(shop.kindsOf(online.number)).toEqual([]);
  });

  it('keeps what a mail server refuses for good, with its reason, and tries again what it puts off', async () => {
    shop.mail.faults.add({ at: 'rcpt', code: 550, text: '5.1.1 no such mailbox' });
    const refused = await shop.engine.api.place();
    const row = await until('refused', async () =>
      (await shop.emails()).find(({ number, state }) => number === refused.number && state === 'failed'),
    );
    expect(row).toMatchObject({ tries: 1, smtp_code: 550, failure_code: 'refused' });
    expect(row.failure_message).toContain('no such mailbox');
    const failed = (await shop.engine.api.events(refused.number)).find(({ type }) => type === 'email_failed');
    expect(failed?.detail).toMatchObject({ kind: 'order_confirmed', reason: row.failure_message });

    shop.mail.faults.add({ at: 'data', code: 451, text: '4.3.0 later, please' });
    const putOff = await shop.engine.api.place();
    await shop.mailOf('order_confirmed', putOff.number);
    await shop.untilQuiet();
    expect(await shop.emails()).toContainEqual(
      expect.objectContaining({ number: putOff.number, state: 'sent', tries: 2, smtp_code: 250, failure_code: null }),
    );
  });

  it('tells once what waited while the queue store lost its jobs', async () => {
    shop.mail.faults.add({ at: 'mail', code: 421, text: '4.3.2 back soon', times: null });
    const orders = [await shop.engine.api.place(), await shop.engine.api.place('vip')];
    const isTried = ({ number, tries }: { number: number; tries: number }) =>
      orders.some((order) => order.number === number) && tries > 0;
    await until('both tried', async () => (await shop.emails()).filter(isTried).length === 2);
    const store = openTestStore(shop.engine);
    await store.queue('email').obliterate({ force: true });
    shop.mail.faults.clear();
    await shop.engine.database.query(
      "UPDATE emails SET next_try_at = now() - interval '10 seconds' WHERE state = 'queued'",
    );
    for (const { number } of orders) await shop.mailOf('order_confirmed', number);
    await shop.untilQuiet();
    for (const { number } of orders) expect(shop.kindsOf(number)).toEqual(['order_confirmed']);
    await store.close();
  });
});
