import { once } from 'node:events';
import { createServer } from 'node:net';
import tls from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { findFreePort } from '../../sandbox/free-port.ts';
import { startMailSandbox } from '../../sandbox/mail/mail-sandbox.ts';
import { closeScene, mailErrorOf, mailerAt, mailTo, openSandbox } from '../../test/support/smtp-scene.ts';

const login = { username: 'shop', password: 'correct horse battery' };
afterEach(closeScene);

/** For the rest of this process, as NODE_EXTRA_CA_CERTS does for that of an operator. */
function trust(certificate: string): void {
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), certificate]);
}

describe('a connection', () => {
  it('that nobody takes is tried again later', async () => {
    const gone = { smtp: { host: '127.0.0.1', port: await findFreePort() } };
    expect(await mailErrorOf(mailerAt(gone).send(mailTo('jane@example.test')))).toMatchObject({
      kind: 'temporary',
      code: 'ECONNREFUSED',
    });
  });

  it('is encrypted by STARTTLS, with a certificate that is trusted', async () => {
    const sandbox = await openSandbox({ login });
    const stranger = mailerAt(sandbox, { security: 'starttls', login });
    for (const attempt of [() => stranger.send(mailTo('jane@example.test')), () => stranger.verify()])
      expect(await mailErrorOf(attempt())).toMatchObject({
        kind: 'configuration',
        code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
      });
    trust(sandbox.certificate);
    await mailerAt(sandbox, { security: 'starttls', login }).send(mailTo('jane@example.test'));
    expect(sandbox.mails()).toHaveLength(1);
  });

  it('is encrypted from its beginning where that is set', async () => {
    const sandbox = await openSandbox({ security: 'tls', login });
    expect(
      await mailErrorOf(mailerAt(sandbox, { security: 'tls', login }).send(mailTo('jane@example.test'))),
    ).toMatchObject({ kind: 'configuration', code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    trust(sandbox.certificate);
    await mailerAt(sandbox, { security: 'tls', login }).send(mailTo('jane@example.test'));
    expect(sandbox.mails()).toHaveLength(1);
  });

  it('without STARTTLS carries neither password nor mail where it has to be encrypted', async () => {
    const sandbox = await openSandbox({ security: 'none', login });
    const mailer = mailerAt(sandbox, { security: 'starttls', login });
    for (const attempt of [() => mailer.send(mailTo('jane@example.test')), () => mailer.verify()])
      expect(await mailErrorOf(attempt())).toMatchObject({ kind: 'configuration', code: 'ETLS' });
    expect(sandbox.mails()).toHaveLength(0);
  });

  it('to a server that speaks no TLS there is a matter of settings', async () => {
    const sandbox = await openSandbox({ security: 'none' });
    expect(await mailErrorOf(mailerAt(sandbox, { security: 'tls' }).send(mailTo('jane@example.test')))).toMatchObject({
      kind: 'configuration',
    });
  });

  it('that died while it was kept is replaced', async () => {
    const sandbox = await openSandbox();
    const mailer = mailerAt(sandbox);
    await Promise.all(['a', 'b', 'c'].map((name) => mailer.send(mailTo(`${name}@example.test`))));
    sandbox.dropConnections();
    await Promise.all(['d', 'e', 'f', 'g'].map((name) => mailer.send(mailTo(`${name}@example.test`))));
    expect(sandbox.mails()).toHaveLength(7);
  });

  it('comes back after the server did', async () => {
    const sandbox = await startMailSandbox();
    const mailer = mailerAt(sandbox);
    await mailer.send(mailTo('a@example.test'));
    await sandbox.close();
    expect(await mailErrorOf(mailer.send(mailTo('b@example.test')))).toMatchObject({ kind: 'temporary' });
    const again = await openSandbox({ smtpPort: sandbox.smtp.port });
    await mailer.send(mailTo('b@example.test'));
    expect(again.mails()).toHaveLength(1);
  });
});

describe('verify', () => {
  it('signs in, and sends nothing', async () => {
    const sandbox = await openSandbox({ login, security: 'none' });
    await mailerAt(sandbox, { login }).verify();
    const wrong = mailerAt(sandbox, { login: { ...login, password: 'wrong horse battery' } });
    expect(await mailErrorOf(wrong.verify())).toMatchObject({ kind: 'configuration', code: 'EAUTH', smtpCode: 535 });
    expect(sandbox.mails()).toHaveLength(0);
  });

  it('fails as temporary while nobody is there', async () => {
    const gone = { smtp: { host: '127.0.0.1', port: await findFreePort() } };
    expect(await mailErrorOf(mailerAt(gone).verify())).toMatchObject({ kind: 'temporary' });
  });
});

describe('an answer', () => {
  it('is not waited for longer than is said, wherever it stays out', async () => {
    const sandbox = await openSandbox();
    for (const at of ['connect', 'mail', 'rcpt'] as const) {
      sandbox.faults.add({ at, delayMs: 60_000 });
      const failure = await mailErrorOf(mailerAt(sandbox, { timeoutMs: 300 }).send(mailTo('jane@example.test')));
      expect(failure, at).toMatchObject({ kind: 'temporary', code: 'ETIMEDOUT' });
    }
    sandbox.faults.add({ at: 'after-data', delayMs: 60_000 });
    const failure = await mailErrorOf(mailerAt(sandbox, { timeoutMs: 1_500 }).send(mailTo('jane@example.test')));
    expect(failure).toMatchObject({ kind: 'unheard', code: 'ETIMEDOUT' });
  });

  it('may come line by line without an end, and is given up then', async () => {
    const trickling = createServer((socket) => {
      socket.on('error', () => {});
      socket.write('220 here\r\n');
      const timer = setInterval(() => socket.write('250-and\r\n'), 50);
      socket.once('close', () => clearInterval(timer));
    });
    trickling.listen(0, '127.0.0.1');
    await once(trickling, 'listening');
    const { port } = Object(trickling.address());
    const mailer = mailerAt({ smtp: { host: '127.0.0.1', port } }, { timeoutMs: 300 });
    expect(await mailErrorOf(mailer.send(mailTo('jane@example.test')))).toMatchObject({ kind: 'temporary' });
    expect(await mailErrorOf(mailer.verify())).toMatchObject({ kind: 'temporary' });
    trickling.close();
  });
});
