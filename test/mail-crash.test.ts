import { describe, expect, it } from 'vitest';
import { sendEmail } from '../src/operations/send-email.ts';
import { samplePassword } from './support/api.ts';
import { adminHeader } from './support/engine.ts';
import { killAll, startWorkerProcess } from './support/engine-process.ts';
import { type MailEngine, startMailEngine, startPost } from './support/mail.ts';
import { until } from './support/until.ts';

describe('a worker that does not hear the answer of the mail server', () => {
  it('has its mail sent once more by another as the same message, when it is killed', async () => {
    const shop = await startMailEngine('redis', { roles: ['relay'], env: { SMTP_TIMEOUT: '60s' } });
    const first = await startWorkerProcess(['email'], shop.engine.environment);
    shop.mail.faults.add({ at: 'after-data', delayMs: 60_000 });
    const { number } = await shop.engine.api.place();
    await shop.mailOf('order_confirmed', number);
    await killAll([first]);
    expect((await shop.emails()).map(({ state, tries }) => [state, tries])).toEqual([['queued', 0]]);
    await shop.engine.startWorkers(['email']);
    await untilSentTwice(shop);
    await shop.close();
  });

  it('lets go in time for a deploy', async () => {
    const shop = await startMailEngine('postgres', { roles: ['relay'], env: { SMTP_TIMEOUT: '60s' } });
    const first = await startPost(shop.engine, { retryFromMs: 100 });
    shop.mail.faults.add({ at: 'after-data', delayMs: 60_000 });
    const { number } = await shop.engine.api.place();
    await shop.mailOf('order_confirmed', number);
    const closingAt = performance.now();
    await first.close();
    expect(performance.now() - closingAt).toBeLessThan(15_000); // 5 s are promised
    expect((await shop.emails())[0]).toMatchObject({ state: 'queued', tries: 1, failure_code: 'unheard' });
    const second = await startPost(shop.engine);
    await untilSentTwice(shop);
    await second.close();
    await shop.close();
  });
});

async function untilSentTwice(shop: MailEngine): Promise<void> {
  await until('sent', async () => (await shop.emails())[0]?.state === 'sent', 45_000);
  const ids = shop.mail.mails().map(({ messageId }) => messageId);
  expect(ids).toHaveLength(2);
  expect(new Set(ids)).toEqual(new Set([(await shop.emails())[0]?.message_id]));
}

describe('a message in several hands', () => {
  it('is sent once, and not at all when its reader has gone meanwhile', async () => {
    const shop = await startMailEngine('postgres', { roles: [] }); // no relay: no job does it
    const post = await startPost(shop.engine);
    const planned = async (count: number) =>
      until('planned', async () => {
        const rows = await shop.emails();
        return rows.length === count && rows.at(-1);
      });
    const sendAtOnce = (emailId: string) =>
      Promise.all(Array.from({ length: 4 }, () => sendEmail({ ...post.deps, mailer: post.mailer }, emailId)));

    shop.mail.faults.add({ at: 'data', delayMs: 500 });
    await shop.engine.api.place();
    const first = await planned(1);
    expect((await sendAtOnce(first.id)).sort()).toEqual(['ended', 'taken', 'taken', 'taken']);
    expect(await sendAtOnce(first.id)).toEqual(['ended', 'ended', 'ended', 'ended']);
    expect(shop.mail.mails()).toHaveLength(1);

    const account = { email: 'gone@example.com', password: samplePassword, displayName: 'Gone' };
    const { body } = await shop.engine.api.call<{ user: { id: string } }>('POST', '/v1/auth/register', {
      body: account,
    });
    await shop.engine.api.call('POST', '/v1/orders', {
      as: account.email,
      body: { items: [{ sku: 'espresso', quantity: 1 }], payment: { method: 'counter' } },
    });
    const second = await planned(2);
    await shop.engine.api.call('DELETE', `/v1/admin/users/${body.user.id}`, { headers: adminHeader });
    await sendAtOnce(second.id);
    expect((await shop.emails()).at(-1)).toMatchObject({ state: 'suppressed', failure_code: 'account_closed' });
    expect(shop.mail.mails()).toHaveLength(1);
    await post.close();
    await shop.close();
  });
});
