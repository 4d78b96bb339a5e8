import { inspect } from 'node:util';
import { simpleParser } from 'mailparser';
import { afterEach, describe, expect, it } from 'vitest';
import type { MailFault } from '../../sandbox/mail/mail-faults.ts';
import { closeScene, mailErrorOf, mailerAt, mailTo, openSandbox } from '../../test/support/smtp-scene.ts';
import type { MailError } from './mailer.ts';

const login = { username: 'shop', password: 'correct horse battery' };
afterEach(closeScene);

describe('a mail', () => {
  it('arrives as it was made: headers, text, HTML and attachments', async () => {
    const sandbox = await openSandbox();
    const mailer = mailerAt(sandbox, { replyTo: 'Help <help@shop.test>' });
    const pdf = Buffer.from('%PDF-1.7 …');
    const answer = await mailer.send(
      mailTo('jane@example.test', {
        messageId: '<0199@shop.test>',
        subject: 'Ihre Bestellung ☕ 1042',
        text: 'Grüße, 12,50 €',
        html: '<p>Grüße, 12,50 €</p>',
        kind: 'receipt',
        attachments: [{ fileName: 'receipt-1042.pdf', contentType: 'application/pdf', content: pdf }],
        unsubscribeUrl: 'https://shop.test/v1/mail/unsubscribe?address=jane%40example.test&signature=abc',
      }),
    );
    expect(answer.code).toBe(250);
    expect(answer.response).toMatch(/^250 /);
    const [mail] = sandbox.mails();
    expect(mail).toMatchObject({
      envelope: { from: 'orders@shop.test', to: ['jane@example.test'] },
      messageId: '<0199@shop.test>',
      subject: 'Ihre Bestellung ☕ 1042',
      kind: 'receipt',
      html: expect.stringContaining('<p>Grüße, 12,50 €</p>'),
      attachments: [{ fileName: 'receipt-1042.pdf', contentType: 'application/pdf', content: pdf }],
    });
    expect(mail?.text?.trim()).toBe('Grüße, 12,50 €');
    const lines = (mail?.headers ?? []).map(({ line }) => line.replace(/\r?\n\s+/g, ' '));
    expect(lines).toContain('From: The Shop <orders@shop.test>');
    expect(lines).toContain('Reply-To: Help <help@shop.test>');
    expect(lines).toContain('To: jane@example.test');
    expect(lines).toContain('Auto-Submitted: auto-generated');
    expect(lines).toContain(
      'List-Unsubscribe: <https://shop.test/v1/mail/unsubscribe?address=jane%40example.test&signature=abc>',
    );
    expect(lines).toContain('List-Unsubscribe-Post: List-Unsubscribe=One-Click');
    expect(lines.filter((line) => line.startsWith('Date: '))).toHaveLength(1);
    expect(lines.join('\n')).not.toMatch(/nodemailer/i);
  });

  it.each(['Shop, Ltd', 'Shop (Old Town)', 'Shop: by the sea; and more', "O'Neill's", 'Café @ Home'])(
    'is from one address, whatever its name is: %s',
    async (name) => {
      const sandbox = await openSandbox();
      const sender = `${name} <orders@shop.test>`;
      await mailerAt(sandbox, { from: sender, replyTo: sender }).send(mailTo('jane@example.test'));
      const [mail] = sandbox.mails();
      expect(mail?.envelope.from).toBe('orders@shop.test');
      const { from, replyTo } = await simpleParser(mail?.source ?? '');
      for (const read of [from, replyTo]) expect(read?.value).toEqual([{ name, address: 'orders@shop.test' }]);
    },
  );

  it('has no List-Unsubscribe where nothing can be ended', async () => {
    const sandbox = await openSandbox();
    await mailerAt(sandbox).send(mailTo('jane@example.test'));
    expect(sandbox.mails()[0]?.source.toString()).not.toMatch(/list-unsubscribe/i);
  });

  it.each([
    ['jane@example.test\r\nRCPT TO:<eve@example.test>'],
    ['jane@example.test, eve@example.test'],
    ['Jane <jane@example.test>'],
    ['jane@example.test>'],
    ['jane'],
    ['"jane, eve"@example.test'],
    [`${'j'.repeat(65)}@example.test`],
    ['ja\u200bne@example.test'],
    [''],
  ])('is refused before anybody is asked when its recipient is %j', async (to) => {
    const sandbox = await openSandbox();
    const failure = await mailErrorOf(mailerAt(sandbox).send(mailTo(to)));
    expect(failure).toMatchObject({ kind: 'refused', code: 'EENVELOPE', smtpCode: null });
    if (to !== '') expect(failure.message).not.toContain(to);
    expect(sandbox.mails()).toHaveLength(0);
  });

  it('gets no header from its subject', async () => {
    const sandbox = await openSandbox();
    await mailerAt(sandbox).send(mailTo('jane@example.test', { subject: 'Order\r\nBcc: eve@example.test' }));
    const [mail] = sandbox.mails();
    expect(mail?.headers.map(({ name }) => name)).not.toContain('bcc');
    expect(mail?.envelope.to).toEqual(['jane@example.test']);
  });
});

describe('what a mail server answers', () => {
  const cases: [string, MailFault, Partial<MailError>][] = [
    ['421 at the greeting', { at: 'connect', code: 421 }, { kind: 'temporary', smtpCode: 421 }],
    ['554 at the greeting', { at: 'connect', code: 554 }, { kind: 'configuration', smtpCode: 554 }],
    ['535 to the password', { at: 'auth', code: 535 }, { kind: 'configuration', code: 'EAUTH', smtpCode: 535 }],
    ['454 to the password', { at: 'auth', code: 454 }, { kind: 'temporary', code: 'EAUTH', smtpCode: 454 }],
    ['421 to the sender', { at: 'mail', code: 421 }, { kind: 'temporary', smtpCode: 421 }],
    ['451 to the sender', { at: 'mail', code: 451 }, { kind: 'temporary', smtpCode: 451 }],
    ['550 to the sender', { at: 'mail', code: 550 }, { kind: 'configuration', smtpCode: 550 }],
    ['553 to the sender', { at: 'mail', code: 553 }, { kind: 'configuration', smtpCode: 553 }],
    ['530 to the sender', { at: 'mail', code: 530 }, { kind: 'configuration', smtpCode: 530 }],
    ['552 to the size', { at: 'mail', code: 552 }, { kind: 'refused', smtpCode: 552 }],
    ['450 to the recipient', { at: 'rcpt', code: 450 }, { kind: 'temporary', smtpCode: 450 }],
    ['550 to the recipient', { at: 'rcpt', code: 550, text: '5.1.1 No such user' }, { kind: 'refused', smtpCode: 550 }],
    [
      '550 to the recipient that means the sender',
      { at: 'rcpt', code: 550, text: '5.1.8 <orders@shop.test>: Sender address rejected: Domain not found' },
      { kind: 'configuration', smtpCode: 550 },
    ],
    [
      '554 to the recipient that means us',
      { at: 'rcpt', code: 554, text: '5.7.1 <jane@example.test>: Relay access denied' },
      { kind: 'configuration', smtpCode: 554 },
    ],
    ['451 to the content', { at: 'data', code: 451 }, { kind: 'temporary', smtpCode: 451 }],
    ['421 to the content', { at: 'data', code: 421 }, { kind: 'temporary', smtpCode: 421 }],
    ['554 to the content', { at: 'data', code: 554, text: '5.6.0 Spam' }, { kind: 'refused', smtpCode: 554 }],
    [
      'nothing: it hangs up at the greeting',
      { at: 'connect', drop: true, times: 9 },
      { kind: 'temporary', smtpCode: null },
    ],
    ['nothing: it hangs up at the password', { at: 'auth', drop: true }, { kind: 'temporary', smtpCode: null }],
    ['nothing: it hangs up at the sender', { at: 'mail', drop: true }, { kind: 'temporary', smtpCode: null }],
    ['nothing: it hangs up at the recipient', { at: 'rcpt', drop: true }, { kind: 'temporary', smtpCode: null }],
    ['nothing: it hangs up after the mail', { at: 'after-data', drop: true }, { kind: 'unheard', smtpCode: null }],
  ];
  it.each(cases)('%s', async (_, fault, expected) => {
    const sandbox = await openSandbox({ login, security: 'none' });
    const mailer = mailerAt(sandbox, { login });
    sandbox.faults.add(fault);
    const failure = await mailErrorOf(mailer.send(mailTo('jane@example.test')));
    expect(failure).toMatchObject(expected);
    expect(failure.message).not.toContain('jane@example.test');
    // and the next one goes, over a new connection if need be
    sandbox.faults.clear();
    await mailer.send(mailTo('next@example.test'));
    expect(sandbox.mailsTo('next@example.test')).toHaveLength(1);
  });

  it('was not lost when the connection breaks in the middle of a large mail', async () => {
    const sandbox = await openSandbox();
    sandbox.faults.add({ at: 'data', drop: true });
    const content = Buffer.alloc(20_000_000, 'x');
    const large = mailTo('jane@example.test', {
      attachments: [{ fileName: 'large.bin', contentType: 'application/octet-stream', content }],
    });
    expect(await mailErrorOf(mailerAt(sandbox).send(large))).toMatchObject({ kind: 'temporary' });
    expect(sandbox.mails()).toHaveLength(0);
  });
});

it('says no password, in whatever form a server repeats it', async () => {
  const sandbox = await openSandbox({ login, security: 'none' });
  const { password, username } = login;
  const plain = Buffer.from(`\0${username}\0${password}`).toString('base64');
  sandbox.faults.add({ at: 'auth', code: 535, text: `AUTH PLAIN ${plain} is wrong, ${password}` });
  const failure = await mailErrorOf(mailerAt(sandbox, { login }).send(mailTo('jane@example.test')));
  const said = inspect(failure, { depth: 9, showHidden: true });
  expect(said).toContain('is wrong');
  for (const secret of [password, plain, Buffer.from(password).toString('base64')]) expect(said).not.toContain(secret);
  expect(failure.cause).toBeUndefined();
});

it('keeps the pace, also when the server hangs up each time', async () => {
  const sandbox = await openSandbox();
  sandbox.faults.add({ at: 'mail', code: 421, times: null });
  const mailer = mailerAt(sandbox, { perSecond: 20, connections: 21 });
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: 31 }, () => mailErrorOf(mailer.send(mailTo('jane@example.test')))));
  expect(performance.now() - startedAt).toBeGreaterThan(1_450);
});

it('lets go of what is being sent when it is closed, which may have arrived, and takes nothing more', async () => {
  const sandbox = await openSandbox();
  const mailer = mailerAt(sandbox, { connections: 1 });
  await mailer.send(mailTo('first@example.test'));
  sandbox.faults.add({ at: 'after-data', delayMs: 60_000 });
  const underWay = mailErrorOf(mailer.send(mailTo('jane@example.test')));
  await sandbox.waitForMail(({ envelope }) => envelope.to[0] === 'jane@example.test');
  mailer.close();
  expect(await underWay).toMatchObject({ kind: 'unheard' });
  expect(await mailErrorOf(mailer.send(mailTo('late@example.test')))).toMatchObject({ kind: 'temporary' });
});
