import { describe, expect, it } from 'vitest';
import { openDatabase } from '../src/db/pool.ts';
import { reportServiceFault } from '../src/db/service-faults.ts';
import { createLog } from '../src/log.ts';
import { openMailer } from '../src/mail/open-mailer.ts';
import { probeMail, watchMailAway } from '../src/operations/mail-faults.ts';
import { type MailEngine, openTestStore, startMailEngine, startPost } from './support/mail.ts';
import { until } from './support/until.ts';

const faultsOf = ({ engine }: MailEngine) =>
  engine.database.query<{ service: string; has_paused: boolean; message: string }>(
    'SELECT service, has_paused, message FROM service_faults',
  );
const degraded = async ({ engine }: MailEngine) =>
  (await engine.api.call<{ degraded: string[] }>('GET', '/readyz')).body.degraded;

describe('a mail server that takes nothing from anybody', () => {
  it('shows after a while, stops no queue, and is over when a mail went out', async () => {
    const shop = await startMailEngine('postgres', { roles: ['relay'] });
    const store = openTestStore(shop.engine);
    shop.mail.faults.add({ at: 'mail', code: 421, text: '4.3.2 no room', times: null });
    const post = await startPost(shop.engine, { probeEveryMs: 100, retryFromMs: 100, awayAfterMs: 600_000 });
    const { number } = await shop.engine.api.place();
    await until('tried', async () => ((await shop.emails())[0]?.tries ?? 0) > 0);
    await post.close(); // so that the next line changes what nobody is at
    expect(await faultsOf(shop)).toEqual([]);
    await shop.engine.database.query("UPDATE emails SET created_at = now() - interval '11 minutes'");
    const again = await startPost(shop.engine, { probeEveryMs: 100, retryFromMs: 100, awayAfterMs: 600_000 });
    const fault = await until('the fault', async () => (await faultsOf(shop))[0]);
    expect(fault).toMatchObject({ service: 'mail', has_paused: false });
    expect(fault.message).toMatch(/^No mail has gone out for 10 minutes\. .*no room/);
    expect(await degraded(shop)).toEqual(['mail']);
    const met = shop.mail.faults.met().length;
    await until('tried further', async () => shop.mail.faults.met().length > met);
    expect([await store.queue('email').isPaused(), await degraded(shop)]).toEqual([false, ['mail']]); // it let us in all the time
    shop.mail.faults.clear();
    await shop.mailOf('order_confirmed', number);
    await until('over', async () => (await faultsOf(shop)).length === 0);
    await Promise.all([again, store].map((one) => one.close()));
    await shop.close();
  });

  it('is not over for a first look that began before it was met', async () => {
    const shop = await startMailEngine('postgres', { roles: [] });
    const { config } = shop.engine;
    const log = createLog('warn', 'test');
    const { pool, close } = await openDatabase(config.databaseUrl, log);
    const store = openTestStore(shop.engine);
    const mailer = openMailer(config.mail.smtp!);
    const verify = async () => {
      await mailer.verify();
      await reportServiceFault(pool, { service: 'mail', code: 'away', message: 'met meanwhile' });
    };
    await probeMail({ pool, store, log, mailer: { ...mailer, verify } }, true);
    expect(await faultsOf(shop)).toMatchObject([{ service: 'mail', message: 'met meanwhile' }]);
    await Promise.all([close(), store.close(), mailer.close()]);
    await shop.close();
  });

  it('is none where one mailbox alone is full', async () => {
    const shop = await startMailEngine('postgres', { roles: ['relay'] });
    shop.mail.faults.add({ at: 'rcpt', code: 452, text: '4.2.2 mailbox full', times: null });
    const post = await startPost(shop.engine, { retryFromMs: 100, probeEveryMs: 600_000 });
    await shop.engine.api.place();
    await until('tried', async () => ((await shop.emails())[0]?.tries ?? 0) > 0);
    await watchMailAway(post.deps, 0);
    expect(await faultsOf(shop)).toEqual([]);
    await shop.engine.api.place('vip');
    await until('both tried', async () => (await shop.emails()).filter(({ tries }) => tries > 0).length === 2);
    await watchMailAway(post.deps, 0);
    expect(await degraded(shop)).toEqual(['mail']);
    await post.close();
    await shop.close();
  });
});

describe('a confirmation that could not go out in time', () => {
  it('is not sent after the news that the order is ready', async () => {
    const shop = await startMailEngine('postgres', { roles: ['relay', 'bots'] });
    shop.mail.faults.add({ at: 'data', code: 451, text: '4.3.0 later', times: null });
    const post = await startPost(shop.engine, { retryFromMs: 100 });
    const order = await shop.engine.api.place();
    await until('tried', async () => ((await shop.emails())[0]?.tries ?? 0) > 0);
    await shop.engine.api.addBot();
    await until('overtaken', async () => (await shop.emails()).some(({ state }) => state === 'suppressed'));
    shop.mail.faults.clear();
    await shop.mailOf('order_ready', order.number);
    await shop.untilQuiet();
    expect(shop.kindsOf(order.number)).toEqual(['order_ready']);
    const row = (await shop.emails()).find(({ kind }) => kind === 'order_confirmed');
    expect(row).toMatchObject({ state: 'suppressed', failure_code: 'overtaken' });
    await post.close();
    await shop.close();
  });
});
