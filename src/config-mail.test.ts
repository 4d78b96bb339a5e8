import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { configFaultsOf } from '../test/support/config-faults.ts';
import { readConfig } from './config.ts';

const enough = { DATABASE_URL: 'postgres://shop:hunter2@db/twolane' };
const smtp = { SMTP_HOST: 'mail.shop.example', SMTP_FROM: 'The Shop <orders@shop.example>' };
const home = { PUBLIC_URL: 'https://shop.example' };
const pemOf = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const read = (variables: Record<string, string>) => readConfig({ ...enough, ...variables }).mail;

const faultsOf = (variables: Record<string, string>) => configFaultsOf({ ...enough, ...variables });

describe('mail', () => {
  it('is off where no server is named', () => {
    expect(read({}).smtp).toBeNull();
    expect(faultsOf({ SMTP_HOST: 'mail.shop.example' })).toMatch(/SMTP_HOST and SMTP_FROM: come together/);
    expect(faultsOf({ ...smtp, ...home, SMTP_PASSWORD: 'hunter2' })).toMatch(/SMTP_USERNAME and SMTP_PASSWORD/);
    expect(faultsOf({ ...smtp, ...home, SMTP_PASSWORD: 'hunter2' })).not.toContain('hunter2');
  });

  it('never goes in clear over a network in production', () => {
    expect(read({ ...smtp, ...home }).smtp).toMatchObject({ port: 587, security: 'starttls' });
    expect(read({ ...smtp, ...home, SMTP_PORT: '465' }).smtp).toMatchObject({ security: 'tls' });
    expect(faultsOf({ ...smtp, ...home, SMTP_SECURITY: 'none' })).toMatch(/SMTP_SECURITY: none/);
    expect(faultsOf({ ...smtp, ...home, SMTP_HOST: '127.0.0.1', SMTP_SECURITY: 'none' })).toBe('');
    expect(faultsOf({ ...smtp, ENV: 'development', SMTP_SECURITY: 'none' })).toBe('');
  });

  it('knows where its links lead in production', () => {
    expect(faultsOf({ DEV_MAIL_URL: 'http://127.0.0.1:3012' })).toMatch(/DEV_MAIL_URL: is for development/);
    for (const address of ['', 'http://shop.example'])
      expect(faultsOf({ ...smtp, PUBLIC_URL: address })).toMatch(/PUBLIC_URL: takes an address with https/);
  });

  it.each(['no address', 'a@b\r\nBcc: c@d', 'A <a@b>, B <c@d>', 'a@b,c@d', '<a@b>', ''])(
    'has one sender: %j',
    (from) => {
      expect(faultsOf({ ...smtp, ...home, SMTP_FROM: from })).toMatch(/SMTP_FROM/);
    },
  );

  it('is signed with a key that is one, on one line or several', () => {
    const privateKey = pemOf(generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey);
    const dkim = { DKIM_DOMAIN: 'shop.example', DKIM_SELECTOR: 'twolane', DKIM_PRIVATE_KEY: privateKey };
    const whole = read({ ...smtp, ...home, ...dkim }).smtp?.dkim;
    expect(whole).toMatchObject({ domain: 'shop.example', selector: 'twolane' });
    const onOneLine = { ...dkim, DKIM_PRIVATE_KEY: privateKey.replaceAll('\n', '\\n') };
    expect(read({ ...smtp, ...home, ...onOneLine }).smtp?.dkim).toEqual(whole);
    expect(faultsOf({ ...smtp, ...home, ...dkim, DKIM_SELECTOR: '' })).toMatch(/DKIM_SELECTOR: missing/);
    const broken = faultsOf({ ...smtp, ...home, ...dkim, DKIM_PRIVATE_KEY: 'not a key' });
    expect(broken).toMatch(/DKIM_PRIVATE_KEY: takes an RSA private key/);
    const other = pemOf(generateKeyPairSync('ed25519').privateKey);
    expect(faultsOf({ ...smtp, ...home, ...dkim, DKIM_PRIVATE_KEY: other })).toMatch(/takes an RSA private key/);
    expect(broken).not.toContain('not a key');
  });
});

describe('what the shop calls itself', () => {
  it('has a colour, also as .env files can hold one', () => {
    expect(read({ SHOP_COLOUR: '#7A3b1d' }).shop.colour).toBe('#7A3b1d');
    expect(read({ SHOP_COLOUR: '7A3b1d' }).shop.colour).toBe('#7A3b1d');
  });

  it('has defaults, and lines of an address', () => {
    expect(read({}).shop).toMatchObject({ name: 'twolane', addressLines: [], timeZone: 'UTC', locale: 'en-GB' });
    expect(read({ SHOP_ADDRESS: '1 High Street | York ||' }).shop.addressLines).toEqual(['1 High Street', 'York']);
  });

  it.each([
    ['SHOP_NAME', 'Tea\nBcc: x@y'],
    ['SHOP_COLOUR', 'green'],
    ['SHOP_LOCALE', 'not a locale'],
    ['SHOP_TIME_ZONE', 'Mars/Olympus'],
    ['TAX_RATE', '101'],
    ['TAX_RATES_BY_SKU', 'tea=7, cake'],
    ['TAX_RATES_BY_SKU', 'tea='],
  ])('refuses %s %s', (name, value) => {
    expect(faultsOf({ [name]: value })).toContain(`${name}: takes`);
  });

  it('has taxes by product and for the rest', () => {
    const { tax } = read({ TAX_RATE: '19', TAX_RATES_BY_SKU: 'tea=7, cake=0' });
    expect(tax.rate).toBe(19);
    expect([...tax.rateBySku]).toEqual([
      ['tea', 7],
      ['cake', 0],
    ]);
  });
});
