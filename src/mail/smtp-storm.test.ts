import { afterEach, expect, it } from 'vitest';
import { type MailSandbox, startMailSandbox } from '../../sandbox/mail/mail-sandbox.ts';
import { MailError, type Mailer, type OutgoingMail } from './mailer.ts';
import { openMailer } from './open-mailer.ts';

const messages = 500;
const mostTries = 40;
let sandbox: MailSandbox;
let mailer: Mailer;
afterEach(async () => {
  mailer.close();
  await sandbox.close();
});

interface Ending {
  state: 'delivered' | 'refused';
  reason: string;
  unheard: number;
}

/** As the engine does, without its waits. */
async function sendUntilItEnds(mail: OutgoingMail): Promise<Ending> {
  let unheard = 0;
  for (let tries = 1; tries <= mostTries; tries++) {
    try {
      const { response } = await mailer.send(mail);
      return { state: 'delivered', reason: response, unheard };
    } catch (error) {
      if (!(error instanceof MailError)) throw error;
      if (error.kind === 'refused') return { state: 'refused', reason: error.message, unheard };
      if (error.kind === 'configuration') throw error;
      if (error.kind === 'unheard') unheard++;
    }
  }
  throw new Error(`${mail.to} has no end after ${mostTries} tries`);
}

it(`ends each of ${messages} mails as delivered or refused, none twice but where the answer was dropped`, async () => {
  sandbox = await startMailSandbox({ keep: 2 * messages });
  sandbox.faults.storm({
    seed: 'mail',
    weather: [
      { at: 'connect', code: 421, share: 0.05 },
      { at: 'mail', code: 421, share: 0.03 },
      { at: 'mail', drop: true, share: 0.02 },
      { at: 'rcpt', code: 451, share: 0.1 },
      { at: 'rcpt', code: 550, text: '5.1.1 No such user', share: 0.06 },
      { at: 'rcpt', drop: true, share: 0.02 },
      { at: 'data', code: 452, share: 0.04 },
      { at: 'data', code: 554, text: '5.6.0 Not like this', share: 0.03 },
      { at: 'after-data', drop: true, share: 0.08 },
      { at: 'after-data', delayMs: 20, share: 0.02 },
    ],
  });
  sandbox.faults.pace({ perSecond: 180, code: 451 });
  mailer = openMailer({
    ...sandbox.smtp,
    login: null,
    from: 'orders@shop.test',
    replyTo: null,
    security: 'none',
    timeoutMs: 10_000,
    connections: 12,
    perSecond: 200,
    dkim: null,
  });
  const mails = Array.from({ length: messages }, (_, index) => ({
    messageId: `<mail-${index}@shop.test>`,
    to: `customer-${index}@example.test`,
    subject: `Order ${index}`,
    text: `Order ${index} is ready.`,
    html: `<p>Order ${index} is ready.</p>`,
    attachments: [],
    unsubscribeUrl: null,
  }));
  const endings = await Promise.all(mails.map(sendUntilItEnds));

  const refusals = new Set(
    sandbox.faults
      .met()
      .filter(({ code }) => code === 550 || code === 554)
      .map(({ to }) => to),
  );
  const caught = Map.groupBy(sandbox.mails(), ({ envelope }) => envelope.to.join());
  for (const [index, { state, reason, unheard }] of endings.entries()) {
    const { to, messageId } = mails[index]!;
    const copies = caught.get(to) ?? [];
    expect(state, to).toBe(refusals.has(to) ? 'refused' : 'delivered');
    expect(reason).toMatch(state === 'refused' ? /: (550 5\.1\.1|554 5\.6\.0) / : /^250 /);
    expect(copies, to).toHaveLength(unheard + (state === 'delivered' ? 1 : 0));
    expect(new Set(copies.map((copy) => copy.messageId))).toEqual(new Set(copies.length > 0 ? [messageId] : []));
  }
  const dropped = sandbox.faults.met().filter(({ at, drop }) => at === 'after-data' && drop).length;
  expect(endings.reduce((sum, { unheard }) => sum + unheard, 0)).toBe(dropped);
  expect(sandbox.mails().length).toBeGreaterThan(endings.filter(({ state }) => state === 'delivered').length);
  const met = new Set(sandbox.faults.met().map(({ at, code }) => `${at} ${code ?? 'drop'}`));
  for (const kind of [
    'connect 421',
    'mail 421',
    'mail 451',
    'mail drop',
    'rcpt 451',
    'rcpt 550',
    'rcpt drop',
    'data 452',
    'data 554',
    'after-data drop',
  ])
    expect([...met]).toContain(kind);
}, 60_000);
