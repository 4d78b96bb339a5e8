import { describe, expect, it } from 'vitest';
import { type MailEngine, startMailEngine, startPost } from './support/mail.ts';
import { until } from './support/until.ts';

const messages = 500;

describe('a storm of mails', () => {
  it('delivers every one or says why not, and none twice but after an answer that was lost', async () => {
    const shop = await startMailEngine('redis', {
      roles: ['relay'],
      env: { SMTP_CONNECTIONS: '8' },
      mail: { keep: 2 * messages },
    });
    shop.mail.faults.storm({
      seed: 'mail-storm-1',
      mostInARow: 1_000, // all go to one address
      weather: [
        { at: 'mail', code: 421, text: '4.3.2 closing for a moment', share: 0.03 },
        { at: 'rcpt', code: 550, text: '5.1.1 no such mailbox', share: 0.05 },
        { at: 'rcpt', code: 451, text: '4.7.1 greylisted', share: 0.1 },
        { at: 'data', code: 451, text: '4.3.0 out of room', share: 0.05 },
        { at: 'data', drop: true, share: 0.03 },
        { at: 'after-data', drop: true, share: 0.05 },
      ],
    });
    shop.mail.faults.pace({ perSecond: 150 });
    for (let placed = 0; placed < messages; placed += 50)
      await Promise.all(Array.from({ length: 50 }, () => shop.engine.api.place()));
    const post = await startPost(shop.engine, { retryFromMs: 100 });
    const countEnded = async () => {
      const text = "SELECT count(*)::int AS count FROM emails WHERE state <> 'queued'";
      return (await shop.engine.database.query<{ count: number }>(text))[0]?.count;
    };
    await until('every one ended', async () => (await countEnded()) === messages, 90_000);
    await assertEveryFate(shop);
    await post.close();
    await shop.close();
  }, 120_000);
});

async function assertEveryFate(shop: MailEngine): Promise<void> {
  const came = new Map<string, number>();
  for (const { messageId } of shop.mail.mails()) came.set(messageId ?? '', (came.get(messageId ?? '') ?? 0) + 1);
  const rows = await shop.emails();
  for (const row of rows) {
    const times = came.get(row.message_id) ?? 0;
    if (row.state === 'sent') expect(times).toBeGreaterThanOrEqual(1);
    else {
      expect(row).toMatchObject({ state: 'failed', failure_code: 'refused', smtp_code: 550 });
      expect(row.failure_message).toContain('no such mailbox');
    }
  }
  expect([...came.keys()].every((id) => rows.some(({ message_id }) => message_id === id))).toBe(true);
  const met = shop.mail.faults.met();
  const lostAnswers = met.filter(({ at, drop }) => at === 'after-data' && drop).length;
  const unneeded = [...came.values()].reduce((sum, times) => sum + times - 1, 0);
  // Each message that came twice did so after an answer that was lost; the last answer to a refused one may have been lost, too.
  expect(unneeded).toBeLessThanOrEqual(lostAnswers);
  expect(unneeded).toBeGreaterThan(0);
  const refused = rows.filter(({ state }) => state === 'failed').length;
  expect(refused).toBe(met.filter(({ code }) => code === 550).length);
  for (const code of [421, 451]) expect(met.some((one) => one.code === code)).toBe(true);
}
