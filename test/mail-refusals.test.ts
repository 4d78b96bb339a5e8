import { describe, expect, it } from 'vitest';
import { normal, vip } from './support/api.ts';
import { type MailEngine, openTestStore, startMailEngine, startPost } from './support/mail.ts';
import { until } from './support/until.ts';

const faultsOf = ({ engine }: MailEngine) =>
  engine.database.query<{ since: string; metAfter: number }>(
    'SELECT since::text AS since, extract(epoch FROM seen_at - since)::float8 AS "metAfter" FROM service_faults',
  );
const placeAs = async ({ engine }: MailEngine, as: string) => {
  const body = { items: [{ sku: 'espresso', quantity: 1 }], payment: { method: 'counter' } };
  return (await engine.api.call<{ order: { number: number } }>('POST', '/v1/orders', { as, body })).body.order;
};

describe('what a mail server says of one mail', () => {
  const relayDenied = { at: 'rcpt', code: 554, text: '5.7.1 Relay access denied', times: null } as const;

  it('stops nobody else, where only one address meets it', async () => {
    const shop = await startMailEngine('postgres', { roles: ['relay'] });
    const store = openTestStore(shop.engine);
    shop.mail.faults.add({ ...relayDenied, to: vip });
    const post = await startPost(shop.engine, { probeEveryMs: 100, retryFromMs: 100 });
    const refused = await placeAs(shop, vip);
    await until('the fault', async () => (await faultsOf(shop)).length === 1); // nobody knows better yet
    const first = await placeAs(shop, normal);
    await shop.mailOf('order_confirmed', first.number);
    await until('no fault', async () => (await faultsOf(shop)).length === 0);
    const own = async () => (await shop.emails()).find(({ number }) => number === refused.number);
    await until('tried again', async () => ((await own())?.tries ?? 0) >= 3);
    expect(await own()).toMatchObject({ state: 'queued', failure_code: 'not_passed_on', smtp_code: 554 });
    expect([await faultsOf(shop), await store.queue('email').isPaused()]).toEqual([[], false]);
    shop.mail.faults.clear();
    await shop.mailOf('order_confirmed', refused.number);
    await Promise.all([post, store].map((one) => one.close()));
    await shop.close();
  });

  it('is one fault until a mail went out, although the server lets us in, and is met more and more seldom', async () => {
    const shop = await startMailEngine('postgres', { roles: ['relay'] });
    shop.mail.faults.add({ at: 'mail', code: 550, text: '5.7.1 sender refused', times: null });
    const post = await startPost(shop.engine, { probeEveryMs: 100 });
    const order = await placeAs(shop, normal);
    await until('met', () => shop.mail.faults.met().length === 1);
    const begun = await until('the fault', async () => (await faultsOf(shop)).at(0));
    const metAfter = new Set<number>();
    await until(
      'met again and again',
      async () => {
        metAfter.add((await faultsOf(shop))[0]?.metAfter ?? 0);
        return metAfter.size === 4;
      },
      30_000,
    );
    const [, second = 0, third = 0, fourth = 0] = metAfter;
    expect(third).toBeGreaterThan(1.9 * second);
    expect(fourth).toBeGreaterThan(1.9 * third);
    expect(await faultsOf(shop)).toMatchObject([{ since: begun.since }]);
    const { body } = await shop.engine.api.call('GET', '/readyz');
    expect(body).toMatchObject({ status: 'ready', degraded: ['mail'] });
    expect((await shop.emails()).map(({ state, tries }) => [state, tries])).toEqual([['queued', 0]]);
    shop.mail.faults.clear();
    await post.close();
    const restarted = await startPost(shop.engine); // its settings may be others: it waits for nothing
    await shop.mailOf('order_confirmed', order.number);
    await until('no fault', async () => (await faultsOf(shop)).length === 0);
    await restarted.close();
    await shop.close();
  });
});
