import { describe, expect, it } from 'vitest';
import { adminHeader, backends } from './support/engine.ts';
import { type MailEngine, openTestStore, startMailEngine, startPost } from './support/mail.ts';
import { until } from './support/until.ts';

const wrongPassword = { at: 'auth', code: 535, text: '5.7.8 wrong password', times: null } as const;
const login = { username: 'shop', password: 'a password of the tests' };

const faultsOf = ({ engine }: MailEngine) =>
  engine.database.query<{ service: string; has_paused: boolean; message: string }>(
    'SELECT service, has_paused, message FROM service_faults',
  );
const degraded = async ({ engine }: MailEngine) =>
  (await engine.api.call<{ degraded: string[] }>('GET', '/readyz')).body.degraded;

describe.each(backends)('settings that no mail can be sent with, on %s', (backend) => {
  it('stop the queue and lose nothing, and it goes on by itself when they are mended', async () => {
    const shop = await startMailEngine(backend, { roles: ['relay'], mail: { login, security: 'none' } });
    const store = openTestStore(shop.engine);
    const posts = [
      await startPost(shop.engine, { probeEveryMs: 300 }),
      await startPost(shop.engine, { probeEveryMs: 300 }),
    ];
    const first = await shop.engine.api.place();
    await until('sent', async () => (await shop.emails())[0]?.state === 'sent');

    shop.mail.faults.add(wrongPassword);
    shop.mail.dropConnections();
    const orders = [await shop.engine.api.place(), await shop.engine.api.place(), await shop.engine.api.place()];
    await until('the fault', async () => (await faultsOf(shop)).length === 1);
    await until('planned', async () => (await shop.emails()).length === 4);
    expect(await faultsOf(shop)).toMatchObject([{ service: 'mail', has_paused: true }]);
    expect(await degraded(shop)).toEqual(['mail']);
    expect((await faultsOf(shop))[0]?.message).not.toContain(login.password);
    await until('paused', () => store.queue('email').isPaused());
    const waiting = (await shop.emails()).filter(({ number }) => number !== first.number);
    expect(waiting.map(({ state, tries }) => [state, tries])).toEqual(orders.map(() => ['queued', 0]));

    shop.mail.faults.clear();
    for (const { number } of orders) await shop.mailOf('order_confirmed', number);
    await shop.untilQuiet();
    expect(await store.queue('email').isPaused()).toBe(false);
    expect(await degraded(shop)).toEqual([]);
    for (const { number } of orders) expect(shop.kindsOf(number)).toEqual(['order_confirmed']);
    await Promise.all([...posts, store].map((one) => one.close()));
    await shop.close();
  });
});

describe('settings that no mail can be sent with', () => {
  it('are tried at the start, and do not start again what somebody else has stopped', async () => {
    const shop = await startMailEngine('redis', { roles: ['relay'], mail: { login, security: 'none' } });
    const store = openTestStore(shop.engine);
    await store.queue('email').pause();
    shop.mail.faults.add(wrongPassword);
    const post = await startPost(shop.engine, { probeEveryMs: 300 });
    await until('the fault', async () => (await faultsOf(shop)).length === 1);
    expect(await faultsOf(shop)).toMatchObject([{ has_paused: false }]);
    shop.mail.faults.clear();
    await until('mended', async () => (await faultsOf(shop)).length === 0);
    expect(await store.queue('email').isPaused()).toBe(true);
    const order = await shop.engine.api.place();
    await until('planned', async () => (await shop.emails()).length === 1);
    expect(shop.kindsOf(order.number)).toEqual([]);
    await store.queue('email').resume();
    await shop.mailOf('order_confirmed', order.number);
    await Promise.all([post, store].map((one) => one.close()));
    await shop.close();
  });
});

describe('a message that cannot be delivered for too long', () => {
  it('is given up, with what the mail server said last', async () => {
    const shop = await startMailEngine('postgres', { roles: ['relay'] });
    shop.mail.faults.add({ at: 'rcpt', code: 452, text: '4.2.2 mailbox full', times: null });
    const post = await startPost(shop.engine, { retryFromMs: 100 });
    const order = await shop.engine.api.place();
    await until('tried', async () => ((await shop.emails())[0]?.tries ?? 0) > 1);
    await shop.engine.database.query("UPDATE emails SET created_at = now() - interval '3 days'");
    const row = await until('given up', async () => (await shop.emails()).find(({ state }) => state === 'failed'));
    expect(row).toMatchObject({ number: order.number, failure_code: 'gave_up', smtp_code: 452 });
    expect(row.failure_message).toMatch(/^Given up after \d+ tries\. .*mailbox full/);
    const { body: metrics } = await shop.engine.api.call<string>('GET', '/metrics', { headers: adminHeader });
    expect(metrics).toContain('twolane_emails_ended{kind="order_confirmed",state="failed"} 1\n');
    expect(metrics).toContain('twolane_emails_failed{reason="gave_up"} 1\n');
    await post.close();
    await shop.close();
  });
});
