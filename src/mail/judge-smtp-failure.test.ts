import { describe, expect, it } from 'vitest';
import { judgeSmtpFailure, type SmtpFailure, withoutSecrets } from './judge-smtp-failure.ts';
import type { MailErrorKind } from './mailer.ts';

function judge(failure: Partial<SmtpFailure>, isHandedOver = false) {
  return judgeSmtpFailure({ message: 'it failed', ...failure }, { isHandedOver, secrets: [] });
}

/** As nodemailer makes it of an answer. */
function replied(command: string, response: string, code = command === 'DATA' ? 'EMESSAGE' : 'EENVELOPE') {
  return { code, command, response, responseCode: Number.parseInt(response, 10) };
}

describe('an answer', () => {
  const sender = 'MAIL FROM';
  const recipient = 'RCPT TO';
  it.each<[MailErrorKind, string, string, string?]>([
    ['temporary', 'CONN', '421 4.3.2 Service shutting down', 'EPROTOCOL'],
    ['temporary', 'CONN', '450 4.7.1 Greylisted', 'EPROTOCOL'],
    ['configuration', 'CONN', '554 5.7.1 Your address is on a list', 'EPROTOCOL'],
    ['configuration', 'CONN', '521 5.3.2 This host takes no mail', 'EPROTOCOL'],
    ['configuration', 'EHLO', '550 5.7.1 Helo command rejected', 'ECONNECTION'],
    ['temporary', 'STARTTLS', '454 4.7.0 TLS not available due to temporary reason', 'ETLS'],
    ['configuration', 'STARTTLS', '502 5.5.1 Command not implemented', 'ETLS'],
    ['configuration', 'AUTH PLAIN', '535 5.7.8 Bad credentials', 'EAUTH'],
    ['configuration', 'AUTH LOGIN', '534 5.7.9 Application-specific password required', 'EAUTH'],
    ['configuration', 'AUTH PLAIN', '503 5.5.1 Error: authentication not enabled', 'EAUTH'],
    ['temporary', 'AUTH PLAIN', '454 4.7.0 Temporary authentication failure', 'EAUTH'],
    ['temporary', 'AUTH PLAIN', '421 4.7.0 Too many logins', 'EAUTH'],
    ['configuration', sender, '530 5.7.0 Authentication required'],
    ['configuration', sender, '530 5.7.0 Must issue a STARTTLS command first'],
    ['configuration', sender, '550 5.1.7 The sender is not one of yours'],
    ['configuration', sender, '553 5.7.1 Sender address rejected: not owned by user shop'],
    ['configuration', sender, '554 5.7.1 You are not allowed to send'],
    ['refused', sender, '552 5.3.4 Message size exceeds fixed limit'],
    ['temporary', sender, '503 5.5.1 Error: nested MAIL command'],
    ['temporary', sender, '452 4.3.1 Insufficient system storage'],
    ['temporary', sender, '451 4.7.1 Try again later'],
    ['refused', recipient, '550 5.1.1 <jane@example.test>: User unknown'],
    ['refused', recipient, '550 No such user here'],
    ['refused', recipient, '553 5.1.3 Bad recipient address syntax'],
    ['refused', recipient, '552 5.2.2 Mailbox full'],
    ['refused', recipient, '550 5.7.1 Message refused by the recipient'],
    ['temporary', recipient, '450 4.2.0 Greylisted'],
    ['temporary', recipient, '452 4.5.3 Too many recipients'],
    ['temporary', recipient, '550 5.4.5 Daily sending quota exceeded'],
    ['configuration', recipient, '550 5.1.8 <orders@shop.test>: Sender address rejected: Domain not found'],
    ['configuration', recipient, '553 5.7.1 <orders@shop.test>: Sender address rejected: not logged in'],
    ['configuration', recipient, '554 5.7.1 <jane@example.test>: Relay access denied'],
    ['configuration', recipient, '550 5.7.1 Unable to relay'],
    ['configuration', recipient, '550-5.7.1 relaying denied\n550 see our page'],
    ['configuration', recipient, '530 5.7.0 Authentication required'],
    ['refused', 'DATA', '554 5.6.0 Message is malformed'],
    ['refused', 'DATA', '550 5.7.1 Looks like spam'],
    ['refused', 'DATA', '552 5.3.4 Message too big'],
    ['configuration', 'DATA', '554 Message rejected: Email address is not verified.'],
    ['configuration', 'DATA', '550 5.7.26 Unauthenticated email from shop.test is not accepted'],
    ['configuration', recipient, '550 5.7.23 SPF validation failed'],
    ['temporary', 'DATA', '451 4.3.0 Queue file write error'],
    ['temporary', 'DATA', '421 4.7.0 Slow down'],
    ['temporary', 'DATA', '554 5.3.1 Mail system full'],
    ['temporary', 'RSET', '500 5.5.2 Syntax error', 'EPROTOCOL'],
  ])('is %s: after %s, %s', (kind, command, response, code) => {
    const isHandedOver = command === 'DATA'; // the answer came: nothing is unheard
    const failure = judge(replied(command, response, code), isHandedOver);
    expect(failure.kind).toBe(kind);
    expect(failure.smtpCode).toBe(Number.parseInt(response, 10));
  });
});

describe('no answer', () => {
  it.each<[MailErrorKind, Partial<SmtpFailure>]>([
    ['temporary', { code: 'ESOCKET', originalCode: 'ECONNREFUSED', command: 'CONN' }],
    ['temporary', { code: 'ESOCKET', originalCode: 'ECONNRESET', command: 'CONN' }],
    ['temporary', { code: 'ECONNECTION', command: 'CONN' }],
    ['temporary', { code: 'ECONNECTION' }],
    ['temporary', { code: 'ETIMEDOUT', command: 'CONN' }],
    ['temporary', { code: 'EABORT' }],
    ['temporary', { code: 'ETLS', command: 'CONN' }],
    ['temporary', { code: 'EDNS', originalCode: 'EAI_AGAIN' }],
    ['temporary', { code: 'EDNS', originalCode: 'ETIMEOUT' }],
    ['temporary', {}],
    ['configuration', { code: 'EDNS', originalCode: 'ENOTFOUND' }],
    ['configuration', { code: 'ETLS', command: 'STARTTLS' }],
    ['configuration', { code: 'EAUTH', command: 'API' }],
    ['configuration', { code: 'ESOCKET', originalCode: 'DEPTH_ZERO_SELF_SIGNED_CERT', command: 'CONN' }],
    ['configuration', { code: 'ESOCKET', originalCode: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', command: 'CONN' }],
    ['configuration', { code: 'ESOCKET', originalCode: 'CERT_HAS_EXPIRED', command: 'CONN' }],
    ['configuration', { code: 'ESOCKET', originalCode: 'ERR_TLS_CERT_ALTNAME_INVALID', command: 'CONN' }],
    ['configuration', { code: 'ESOCKET', originalCode: 'ERR_SSL_WRONG_VERSION_NUMBER', command: 'CONN' }],
    ['refused', { code: 'EENVELOPE', command: 'API' }],
    ['refused', { code: 'EMESSAGE', command: 'MAIL FROM' }],
  ])('is %s when nothing was handed over: %j', (kind, failure) => {
    expect(judge(failure)).toMatchObject({ kind, smtpCode: null });
  });

  it.each<[Partial<SmtpFailure>]>([
    [{ code: 'ECONNECTION', command: 'CONN' }],
    [{ code: 'ESOCKET', originalCode: 'ECONNRESET', command: 'CONN' }],
    [{ code: 'ETIMEDOUT', command: 'CONN' }],
    [{ code: 'EABORT' }],
    [{ code: 'EMESSAGE', command: 'DATA', response: '354 Go on', responseCode: 354 }],
  ])('is unheard when the mail had gone out: %j', (failure) => {
    expect(judge(failure, true)).toMatchObject({ kind: 'unheard', smtpCode: null });
  });
});

it('calls a failure by what the system calls it, where it does', () => {
  expect(judge({ code: 'ESOCKET', originalCode: 'ECONNREFUSED' }).code).toBe('ECONNREFUSED');
  expect(judge({ code: 'EAUTH' }).code).toBe('EAUTH');
});

it('says what failed and what was answered, on one line', () => {
  const said = judge(replied('RCPT TO', '550-5.1.1 The account\n550 5.1.1 does not exist')).message;
  expect(said).toBe('Naming the recipient failed: 550-5.1.1 The account 550 5.1.1 does not exist');
});

describe('a text without secrets', () => {
  const secrets = ['p.a+ss(word', 'Jane@example.test'];
  it.each([
    ['550 <jane@EXAMPLE.test>: unknown', '550 <…>: unknown'],
    ['535 p.a+ss(word is wrong', '535 … is wrong'],
    [`535 ${Buffer.from('p.a+ss(word').toString('base64')}`, '535 …='],
    ['250 2.0.0 Ok:\r\n queued', '250 2.0.0 Ok: queued'],
  ])('%j becomes %j', (text, cleaned) => {
    expect(withoutSecrets(text, secrets)).toBe(cleaned);
  });

  it('is short, and cut after it was cleaned', () => {
    const text = withoutSecrets(`${'x'.repeat(295)}p.a+ss(word${'x'.repeat(500)}`, secrets);
    expect(text).toHaveLength(300);
    expect(text).not.toContain('p.a');
  });
});
