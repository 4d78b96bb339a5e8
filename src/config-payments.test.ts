import { describe, expect, it } from 'vitest';
import { defaultKeys } from '../sandbox/payments/sandbox-keys.ts';
import { configFaultsOf } from '../test/support/config-faults.ts';

const enough = { DATABASE_URL: 'postgres://shop:hunter2@db/twolane' };
const stripe = { STRIPE_SECRET_KEY: 'sk_live_1', STRIPE_WEBHOOK_SECRET: 'whsec_1' };
const paypal = { PAYPAL_CLIENT_ID: 'id', PAYPAL_CLIENT_SECRET: 'secret', PAYPAL_WEBHOOK_ID: 'hook' };
const home = { PUBLIC_URL: 'https://shop.example' };

const faultsOf = (variables: Record<string, string>) => configFaultsOf({ ...enough, ...variables });

describe('the keys of payment providers', () => {
  it('come together or not at all', () => {
    expect(faultsOf({ ...stripe, ...paypal, ...home })).toBe('');
    expect(faultsOf({ ...home, STRIPE_SECRET_KEY: 'sk_live_1' })).toMatch(/STRIPE_WEBHOOK_SECRET: missing/);
    expect(faultsOf({ ...paypal, ...home, PAYPAL_WEBHOOK_ID: '' })).toMatch(/PAYPAL_WEBHOOK_ID: missing/);
  });

  it('are not those of the sandbox in production, said or not', () => {
    const published = {
      STRIPE_SECRET_KEY: defaultKeys.stripeSecretKey,
      STRIPE_WEBHOOK_SECRET: defaultKeys.stripeWebhookSecret,
      PAYPAL_CLIENT_ID: defaultKeys.paypalClientId,
      PAYPAL_CLIENT_SECRET: defaultKeys.paypalClientSecret,
      PAYPAL_WEBHOOK_ID: defaultKeys.paypalWebhookId,
    };
    const message = faultsOf({ ...published, ...home });
    for (const [name, value] of Object.entries(published)) {
      expect(message).toContain(`${name}: is that of the sandbox`);
      expect(message).not.toContain(value);
    }
    expect(faultsOf({ ...published, ...home, ENV: 'production' })).toBe(message);
    expect(faultsOf({ ...published, ENV: 'development' })).toBe('');
  });
});

describe('PUBLIC_URL', () => {
  it('is there, and https, where money is taken in production', () => {
    expect(faultsOf(paypal)).toMatch(/PUBLIC_URL: is missing/);
    expect(faultsOf({ ...stripe, PUBLIC_URL: 'http://shop.example' })).toMatch(/PUBLIC_URL: .*https/);
    expect(faultsOf({ ...paypal, PUBLIC_URL: 'HTTP://shop.example' })).toMatch(/PUBLIC_URL: .*https/);
    expect(faultsOf({ PUBLIC_URL: 'http://shop.example' })).toBe('');
    expect(faultsOf({ ...stripe, PUBLIC_URL: 'http://127.0.0.1:3000', ENV: 'development' })).toBe('');
  });
});

describe('RECONCILIATION_CRON', () => {
  it.each([
    '15 4 * * *',
    '*/5 * * * *',
    '0-30/10,45 4 1-15 jan,Jul mon-FRI',
    '0 4 29 2 *',
    '0 4 31 2,3 *',
    '5/15 0 * * 7',
    '0 4 * * 5-7',
    '0 4 * * */2',
    ' 0  4 * * * ',
  ])('takes %j', (text) => {
    expect(faultsOf({ RECONCILIATION_CRON: text })).toBe('');
  });

  it.each([
    '99 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * * 13 *',
    '* * * * 8',
    '0 4 30 2 *',
    '0 4 31 4,6 *',
    '5-1 * * * *',
    '*/0 * * * *',
    '1,,2 * * * *',
    '0-30,30 * * * *',
    '0 4 * * 0,7',
    '1/2/3 * * * *',
    '1-2-3 * * * *',
    'a b c d e',
    '0 4 * *',
    '0 0 4 * * *',
    '@daily',
  ])('refuses %j', (text) => {
    expect(faultsOf({ RECONCILIATION_CRON: text })).toMatch(/RECONCILIATION_CRON: takes five fields/);
  });
});

it('keeps a checkout open for 31 minutes to 23 hours', () => {
  for (const duration of ['31m', '23h']) expect(faultsOf({ CHECKOUT_DURATION: duration })).toBe('');
  for (const duration of ['30m', '24h'])
    expect(faultsOf({ CHECKOUT_DURATION: duration })).toMatch(/CHECKOUT_DURATION: takes 31m to 23h/);
});
