import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createTransport, type SendMailOptions } from 'nodemailer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type MailSandbox, type MailSandboxOptions, startMailSandbox } from './mail-sandbox.ts';
import { readMailSandboxSettings } from './mail-sandbox-settings.ts';

let sandbox: MailSandbox;
let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'mail-sandbox-'));
  sandbox = await startMailSandbox({ folder });
});
afterEach(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true, force: true });
});

async function startAnew(options: MailSandboxOptions): Promise<void> {
  await sandbox.close();
  sandbox = await startMailSandbox(options);
}

async function send(mail: SendMailOptions, options: object = {}) {
  const transport = createTransport({ ...sandbox.smtp, ignoreTLS: true, ...options });
  const sent = { from: 'Shop <orders@shop.test>', to: 'jane@example.test', subject: 'Hello', text: 'Hello', ...mail };
  return transport.sendMail(sent).finally(() => transport.close());
}

const get = (place = '', init?: RequestInit) => fetch(sandbox.url + place, { redirect: 'manual', ...init });
const textOf = async (place = '') => (await get(place)).text();
const newest = () => sandbox.mails().at(-1);

describe('the list', () => {
  it('says that there is no mail yet, and comes anew by itself', async () => {
    const page = await textOf();
    expect(page).toContain('No mail yet.');
    expect(page).toContain('http-equiv="refresh"');
  });

  it('shows whom each was for, what about and when, the newest first', async () => {
    await send({ subject: 'The first' });
    await send({
      subject: 'The second',
      to: 'joe@example.test',
      headers: { 'X-Twolane-Kind': 'receipt' },
      attachments: [{ filename: 'receipt.pdf', content: '%PDF' }],
    });
    const page = await textOf();
    expect(page.indexOf('The second')).toBeLessThan(page.indexOf('The first'));
    for (const fact of [
      'jane@example.test',
      'joe@example.test',
      'Receipt',
      'with receipt.pdf',
      '2 mails, the newest first',
    ])
      expect(page).toContain(fact);
    const { mails } = Object(await (await get('/mails.json')).json());
    expect(mails).toMatchObject([
      { subject: 'The second', to: ['joe@example.test'], kind: 'receipt', attachments: [{ fileName: 'receipt.pdf' }] },
      { subject: 'The first', kind: null },
    ]);
  });

  it('is emptied by its button, and by no page from elsewhere', async () => {
    await send({});
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const foreign = await get('/clear', { method: 'POST', headers: { ...headers, 'sec-fetch-site': 'cross-site' } });
    expect(foreign.status).toBe(403);
    expect(sandbox.mails()).toHaveLength(1);
    expect((await get('/clear', { method: 'POST', headers })).status).toBe(303);
    expect(sandbox.mails()).toHaveLength(0);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('the page of a mail', () => {
  it('runs nothing that the mail brings along', async () => {
    const attack = '<script>alert(1)</script><img src=x onerror=alert(2)>';
    await send({
      subject: attack,
      from: { name: attack, address: 'eve@example.test' },
      text: attack,
      html: `<html><head></head><body>${attack}<a href="https://shop.test/">Shop</a></body></html>`,
      headers: { 'X-Twolane-Kind': attack },
      attachments: [{ filename: `${attack}.html`, content: attack, contentType: 'text/html' }],
    });
    const mail = newest();
    for (const place of ['', `/${mail?.id}`, `/${mail?.id}?view=text`, `/${mail?.id}?view=source`]) {
      const answer = await get(place);
      const page = await answer.text();
      expect(page.replace('<script src="/dev/mail/frame.js" defer>', ''), place).not.toMatch(/<script|<img/);
      const policy = answer.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy.match(/script-src[^;]*/)?.[0]).toBe(page.includes('<iframe') ? "script-src 'self'" : undefined);
    }
    const rights = 'allow-same-origin allow-popups allow-popups-to-escape-sandbox'; // above all not allow-scripts
    expect(await textOf(`/${mail?.id}`)).toContain(`sandbox="${rights}"`);
    const frame = await get(`/${mail?.id}/html`);
    const policy = frame.headers.get('content-security-policy') ?? '';
    expect(policy).toContain(`sandbox ${rights}; default-src 'none'`);
    expect(policy).not.toMatch(/script|https?:/);
    expect(await frame.text()).toContain('<head><base target="_blank">');
    const attachment = await get(`/${mail?.id}/attachments/0`);
    expect(attachment.headers.get('content-type')).toBe('application/octet-stream');
    expect(attachment.headers.get('content-disposition')).toMatch(/^attachment; filename\*=UTF-8''%3Cscript%3E/);
    expect(attachment.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('opens a PDF in the browser, and gives the mail as a file', async () => {
    await send({ attachments: [{ filename: 'Quittung 1.pdf', content: '%PDF-1.7', contentType: 'application/pdf' }] });
    const place = `/${newest()?.id}`;
    expect(await textOf(place)).toContain('Quittung 1.pdf');
    const attachment = await get(`${place}/attachments/0`);
    expect(attachment.headers.get('content-type')).toBe('application/pdf');
    expect(attachment.headers.get('content-disposition')).toBe("inline; filename*=UTF-8''Quittung%201.pdf");
    expect(await attachment.text()).toBe('%PDF-1.7');
    const source = await get(`${place}/source.eml`);
    expect(source.headers.get('content-disposition')).toContain('.eml');
    expect(await source.text()).toContain('Subject: Hello');
  });

  it('shows the text where there is no HTML', async () => {
    await send({ text: 'Only <text>' });
    const page = await textOf(`/${newest()?.id}`);
    expect(page).toContain('Only &#60;text&#62;');
    expect(page).not.toContain('<iframe');
  });

  it.each(['/nothing', '/nothing/html', '/nothing/source.eml', '/nothing/attachments/0'])(
    'is not there for %s',
    async (place) => {
      const answer = await get(place);
      expect(answer.status).toBe(404);
      expect(await answer.text()).toContain('No such mail');
    },
  );
});

describe('what it keeps', () => {
  it('outlives a restart, byte for byte', async () => {
    await send({ subject: 'Grüße ☕', html: '<p>Hallo</p>', attachments: [{ filename: 'a.txt', content: 'ä' }] });
    const before = newest();
    writeFileSync(path.join(folder, '1700000000000-0000.eml'), 'not one of ours');
    await startAnew({ folder });
    expect(sandbox.mails()).toEqual([before]);
    const [file = ''] = readdirSync(folder).filter((name) => name.includes(String(before?.id)));
    expect(readFileSync(path.join(folder, file), 'utf8')).toMatch(
      /^Return-Path: <orders@shop\.test>\r\nDelivered-To: /,
    );
  });

  it('is the newest of them', async () => {
    await startAnew({ folder, keep: 2 });
    for (const subject of ['one', 'two', 'three']) await send({ subject });
    expect(sandbox.mails().map(({ subject }) => subject)).toEqual(['two', 'three']);
    expect(readdirSync(folder)).toHaveLength(2);
  });

  it('can be waited for, and says what came instead', async () => {
    const coming = sandbox.waitForMail(({ subject }) => subject === 'Awaited');
    await send({ subject: 'Another' });
    await send({ subject: 'Awaited' });
    expect((await coming).subject).toBe('Awaited');
    expect((await sandbox.waitForMail(({ subject }) => subject === 'Another')).subject).toBe('Another'); // came before
    await expect(sandbox.waitForMail(() => false, 10)).rejects.toThrow('jane@example.test: Another');
  });
});

describe('signing in', () => {
  it('is not needed, and is taken as it comes', async () => {
    await send({});
    await send({}, { auth: { user: 'anybody', pass: 'anything' }, ignoreTLS: false, tls: { ca: sandbox.certificate } });
    expect(sandbox.mails()).toHaveLength(2);
  });

  it('is needed where it is said, and never in clear where STARTTLS is there', async () => {
    const login = { username: 'shop', password: 'secret' };
    await startAnew({ login });
    await expect(send({})).rejects.toMatchObject({ responseCode: 530 });
    const auth = { user: 'shop', pass: 'secret' };
    await expect(send({}, { auth })).rejects.toThrow();
    const encrypted = { ignoreTLS: false, requireTLS: true, tls: { ca: sandbox.certificate } };
    await expect(send({}, { ...encrypted, auth: { ...auth, pass: 'other' } })).rejects.toMatchObject({
      responseCode: 535,
    });
    await send({}, { ...encrypted, auth });
    expect(sandbox.mails()).toHaveLength(1);
  });
});

describe('its faults', () => {
  it('befall whom they are for, as often as they are said', async () => {
    sandbox.faults.add({ at: 'rcpt', to: 'jane@example.test', code: 451, text: 'Later', times: 2 });
    await send({ to: 'joe@example.test' });
    for (let times = 0; times < 2; times++)
      await expect(send({})).rejects.toMatchObject({ responseCode: 451, command: 'RCPT TO' });
    await send({});
    expect(sandbox.faults.met()).toHaveLength(2);
    expect(sandbox.mails().map(({ envelope }) => envelope.to)).toEqual([['joe@example.test'], ['jane@example.test']]);
  });

  it('keep a mail or not, as they say', async () => {
    sandbox.faults.add({ at: 'data', code: 554 });
    await expect(send({})).rejects.toMatchObject({ responseCode: 554 });
    expect(sandbox.mails()).toHaveLength(0);
    sandbox.faults.add({ at: 'after-data', drop: true });
    await expect(send({})).rejects.toMatchObject({ code: 'ECONNECTION' });
    expect(sandbox.mails()).toHaveLength(1);
  });

  it('put off who is too fast', async () => {
    sandbox.faults.pace({ perSecond: 2, code: 450 });
    const ends = await Promise.allSettled(Array.from({ length: 12 }, () => send({})));
    const refused = ends.filter(({ status }) => status === 'rejected');
    expect(refused[0]).toMatchObject({ reason: { responseCode: 450, command: 'MAIL FROM' } });
    expect(sandbox.mails()).toHaveLength(ends.length - refused.length);
    expect(sandbox.mails().length).toBeGreaterThanOrEqual(2);
    sandbox.faults.clear();
    await send({});
  });

  it('are the same from the same seed, and end', async () => {
    const fatesOf = async (seed: string) => {
      await startAnew({});
      sandbox.faults.storm({ seed, weather: [{ at: 'rcpt', code: 451, share: 0.6 }], mostInARow: 2 });
      const fates: boolean[] = [];
      for (let nth = 0; nth < 12; nth++)
        fates.push(
          await send({}).then(
            () => true,
            () => false,
          ),
        );
      return fates;
    };
    const fates = await fatesOf('a');
    expect(await fatesOf('a')).toEqual(fates);
    expect(fates).toContain(false);
    expect(fates.join()).not.toContain('false,false,false');
  });

  it('are refused where they make no sense', () => {
    expect(() => sandbox.faults.add({ at: 'mail', to: 'jane@example.test', code: 451 })).toThrow('nobody knows yet');
    expect(() => sandbox.faults.add({ at: 'rcpt', code: 250 })).toThrow();
  });
});

describe('its settings', () => {
  it('name ports and the folder', () => {
    const environment = { MAIL_SANDBOX_SMTP_PORT: '2526', MAIL_SANDBOX_PAGE_PORT: '', MAIL_SANDBOX_FOLDER: 'mails' };
    expect(readMailSandboxSettings(environment)).toEqual({
      host: '127.0.0.1',
      smtpPort: 2526,
      httpPort: 4243,
      folder: 'mails',
    });
  });

  it('are refused in production', () => {
    expect(() => readMailSandboxSettings({ ENV: 'production', MAIL_SANDBOX_SMTP_PORT: '2525' })).toThrow('production');
    expect(() => readMailSandboxSettings({ MAIL_SANDBOX_SMTP_PORT: '70000' })).toThrow('MAIL_SANDBOX_SMTP_PORT');
  });
});
