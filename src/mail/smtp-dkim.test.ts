import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { closeScene, mailerAt, mailTo, openSandbox } from '../../test/support/smtp-scene.ts';

afterEach(closeScene);

it('DKIM signs what mail programs want signed, both headers of List-Unsubscribe among it', async () => {
  const sandbox = await openSandbox();
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const privateKey = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const mailer = mailerAt(sandbox, { dkim: { domain: 'shop.test', selector: 'mail', privateKey } });
  await mailer.send(mailTo('jane@example.test', { unsubscribeUrl: 'https://shop.test/end' }));
  const source = sandbox.mails()[0]?.source.toString('latin1') ?? '';
  const { signed, tags } = signedPart(source);
  expect(tags.get('d')).toBe('shop.test');
  expect(tags.get('s')).toBe('mail');
  const names = tags.get('h')?.split(':') ?? [];
  for (const name of ['from', 'to', 'subject', 'date', 'message-id', 'list-unsubscribe', 'list-unsubscribe-post'])
    expect(names.map((each) => each.toLowerCase())).toContain(name);
  const signature = Buffer.from(tags.get('b') ?? '', 'base64');
  const key = createPublicKey(keys.publicKey.export({ type: 'spki', format: 'pem' }));
  expect(verify('sha256', Buffer.from(signed, 'latin1'), key, signature)).toBe(true);
  const forged = signed.replace('One-Click', 'Two-Click');
  expect(verify('sha256', Buffer.from(forged, 'latin1'), key, signature)).toBe(false);
});

/** What a relaxed DKIM signature is of (RFC 6376, 3.4.2 and 3.7). */
function signedPart(source: string): { signed: string; tags: Map<string, string> } {
  const lines = source
    .slice(0, source.indexOf('\r\n\r\n'))
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const relaxed = (line: string) => {
    const [name = '', ...value] = line.split(':');
    return `${name.toLowerCase().trim()}:${value.join(':').replace(/\s+/g, ' ').trim()}`;
  };
  const signature = lines.find((line) => /^dkim-signature:/i.test(line)) ?? '';
  const tags = new Map(
    signature
      .slice(signature.indexOf(':') + 1)
      .split(';')
      .map((tag) => {
        const [name = '', ...value] = tag.split('=');
        return [name.trim(), value.join('=').replace(/\s+/g, '')];
      }),
  );
  const headers = (tags.get('h') ?? '').split(':').flatMap((name) => {
    const line = lines.find((each) => each.toLowerCase().startsWith(`${name.toLowerCase()}:`));
    return line === undefined ? [] : [`${relaxed(line)}\r\n`];
  });
  return { signed: headers.join('') + relaxed(signature).replace(/(;\s*b=)[^;]*$/, '$1'), tags };
}
