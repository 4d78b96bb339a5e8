import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { configFaultsOf } from '../test/support/config-faults.ts';
import { readConfig } from './config.ts';
import { durationMs } from './config-values.ts';

const longSecret = 'a'.repeat(16).concat('b'.repeat(16));
const enough = { DATABASE_URL: 'postgres://shop:hunter2@db/twolane' };

describe('the environment', () => {
  it('is production with safe defaults when little is said', () => {
    expect(readConfig(enough)).toMatchObject({
      env: 'production',
      host: '127.0.0.1',
      port: 3000,
      redisUrl: null,
      admin: null,
      failpoint: null,
      orderMaxAttempts: 5,
      tokens: null,
      cors: { origins: [], credentials: false },
      trustProxy: false,
      limits: { requestsPerMinute: 1_200, signInsPerMinute: 60, eventLoopDelayMs: 2_000 },
    });
    expect(readConfig({ ...enough, JWT_SECRET: longSecret }).tokens).toEqual({
      secrets: [longSecret],
      issuer: 'twolane',
      audience: 'twolane-api',
      accessTokenMs: 15 * 60_000,
      refreshTokenMs: 30 * 86_400_000,
    });
  });

  it('takes an empty variable as absent', () => {
    const blank = {
      ...enough,
      REDIS_URL: '',
      REDIS_HOST: '',
      PORT: '',
      ENV: '',
      ADMIN_USERNAME: '',
      ADMIN_PASSWORD: '',
      BOT_HANDLER: '',
      TWOLANE_FAILPOINT: '',
    };
    expect(readConfig(blank)).toEqual(readConfig(enough));
    expect(configFaultsOf({ DATABASE_URL: '' })).toMatch(/DATABASE_URL.*is missing/);
  });

  it('names every fault in one message, and no value', () => {
    const secret = 'hunter2-very-secret';
    const message = configFaultsOf({
      DATABASE_URL: `mysql://root:${secret}@db/x`,
      REDIS_URL: `http://:${secret}@redis`,
      PORT: `99999${secret}`,
      ENV: secret,
      ADMIN_USERNAME: secret,
      JWT_SECRET: 'hunter2',
      BOT_HANDLER: `https://shop/${secret}`,
      BOT_HANDLER_TIMEOUT: secret,
      ORDER_MAX_ATTEMPTS: '0',
      QUEUE_PREFIX: secret.repeat(5),
      JWT_ACCESS_TOKEN_DURATION: secret,
      JWT_REFRESH_TOKEN_DURATION: '400d',
      CORS_ORIGINS: `https://shop.example/${secret}`,
      CORS_CREDENTIALS: secret,
      TRUST_PROXY: secret,
      RATE_LIMIT_PER_MINUTE: secret,
      SIGN_IN_LIMIT_PER_MINUTE: '-1',
      OVERLOAD_EVENT_LOOP_DELAY: secret,
    });
    expect(message).toMatch(/^The environment has 18 faults:/);
    for (const name of [
      'DATABASE_URL',
      'REDIS_URL',
      'PORT',
      'ENV',
      'JWT_SECRET',
      'BOT_HANDLER_TIMEOUT',
      'BOT_HANDLER_SECRET',
      'ORDER_MAX_ATTEMPTS',
      'QUEUE_PREFIX',
      'ADMIN_PASSWORD',
      'JWT_ACCESS_TOKEN_DURATION',
      'JWT_REFRESH_TOKEN_DURATION',
      'CORS_ORIGINS',
      'CORS_CREDENTIALS',
      'TRUST_PROXY',
      'RATE_LIMIT_PER_MINUTE',
      'SIGN_IN_LIMIT_PER_MINUTE',
      'OVERLOAD_EVENT_LOOP_DELAY',
    ])
      expect(message).toContain(name);
    expect(message).not.toContain('hunter2');
  });

  it.each([
    ['RATE_LIMIT_PER_MINUTE', 'lots', 'takes a whole number from 0 to 10000000'],
    ['RATE_LIMIT_PER_MINUTE', '1.5', 'takes a whole number from 0 to 10000000'],
    ['PORT', '70000', 'takes a whole number from 0 to 65535'],
    ['ENV', 'prod', 'takes one of production, development, test'],
    ['CORS_CREDENTIALS', 'yes', 'takes one of true, false'],
    ['REDIS_URL', 'localhost:6379', 'takes an address such as redis://host:6379/0'],
    ['QUEUE_PREFIX', 'a b', 'takes up to 40 letters, digits and {}_-'],
    ['BOT_HANDLER_SECRET', 'short', 'takes at least 16 characters'],
    ['JWT_ACCESS_TOKEN_DURATION', '2d', 'takes 1s to 24h'],
    ['JWT_REFRESH_TOKEN_DURATION', 'a week', 'takes a duration such as 10s, 15m or 30d'],
  ])('says what %s takes instead of %j', (name, wrong, told) => {
    expect(configFaultsOf({ ...enough, [name]: wrong })).toBe(`The environment has 1 fault:\n  ${name}: ${told}`);
  });

  it('puts DB_… and REDIS_… together and keeps odd characters in passwords', () => {
    const { databaseUrl, redisUrl } = readConfig({
      DB_HOST: 'db',
      DB_USER: 'shop',
      DB_PASSWORD: 'p@ss:/?#',
      DB_NAME: 'two lane',
      DB_SSL_MODE: 'require',
      REDIS_HOST: 'redis',
      REDIS_PASSWORD: 'p@ss/',
      REDIS_DB: '3',
    });
    const database = new URL(databaseUrl);
    expect(decodeURIComponent(database.password)).toBe('p@ss:/?#');
    expect(decodeURIComponent(database.pathname)).toBe('/two lane');
    expect(database.searchParams.get('sslmode')).toBe('require');
    expect(decodeURIComponent(new URL(redisUrl ?? '').password)).toBe('p@ss/');
    expect(new URL(redisUrl ?? '').pathname).toBe('/3');
  });

  it('refuses a failpoint in production, said or not', () => {
    expect(configFaultsOf({ ...enough, TWOLANE_FAILPOINT: 'after-commit' })).toMatch(
      /TWOLANE_FAILPOINT: .*never for production/,
    );
    expect(configFaultsOf({ ...enough, ENV: 'production', TWOLANE_FAILPOINT: 'after-commit' })).toMatch(
      /TWOLANE_FAILPOINT/,
    );
    expect(configFaultsOf({ ...enough, ENV: 'development', TWOLANE_FAILPOINT: 'somewhere' })).toMatch(
      /TWOLANE_FAILPOINT/,
    );
    expect(readConfig({ ...enough, ENV: 'development', TWOLANE_FAILPOINT: 'after-commit' }).failpoint).toBe(
      'after-commit',
    );
  });

  it('cannot be changed', () => {
    const config = readConfig({ ...enough, JWT_SECRET: longSecret });
    expect(() => Object.assign(config, { env: 'development' })).toThrow(TypeError);
    for (const part of [config.bots, config.cors, config.limits, config.tokens])
      expect(() => Object.assign(part ?? {}, { added: 1 })).toThrow(TypeError);
  });
});

describe('.env.example', () => {
  const file = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
  const lines = [...file('.env.example').matchAll(/^#?([A-Z][A-Z0-9_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [
    name,
    value,
  ]);

  it('shows the defaults', () => {
    const examples = /^(DATABASE_URL|DB_\w+|REDIS_\w+)$/;
    const shown = Object.fromEntries(lines.filter(([name = '']) => !examples.test(name)));
    expect(Object.keys(shown).length).toBeGreaterThan(20);
    expect(readConfig({ ...enough, ...shown })).toEqual(readConfig(enough));
  });

  it('has every setting that docker-compose.yml passes on', () => {
    const passed = [...file('docker-compose.yml').matchAll(/^ {4}([A-Z][A-Z0-9_]+): \$\{([A-Z][A-Z0-9_]+):/gm)].map(
      ([, name, variable]) => [name, variable],
    );
    expect(passed.length).toBeGreaterThan(20);
    for (const [name, variable] of passed) expect(variable).toBe(name);
    expect(lines.map(([name]) => name)).toEqual(
      expect.arrayContaining(passed.map(([name]) => name).filter((name) => name !== 'POSTGRES_PASSWORD')),
    );
  });
});

describe('JWT_SECRET', () => {
  const other = longSecret.toUpperCase();
  it.each([
    ['one', longSecret, [longSecret]],
    ['several by commas, the first of which signs', `${longSecret},${other}`, [longSecret, other]],
    ['several with spaces and lines between', ` ${longSecret},\n ${other}, `, [longSecret, other]],
  ])('takes %s', (_name, text, secrets) => {
    expect(readConfig({ ...enough, JWT_SECRET: text }).tokens?.secrets).toEqual(secrets);
  });

  it.each([longSecret.slice(1), `${longSecret},short`, ',', ' '])('refuses %j', (text) => {
    expect(configFaultsOf({ ...enough, JWT_SECRET: text })).toMatch(
      /JWT_SECRET: takes secrets of at least 32 characters/,
    );
  });
});

describe('TRUST_PROXY', () => {
  it.each([
    ['false', false],
    ['0', 0],
    ['2', 2],
    ['10.0.0.1', ['10.0.0.1']],
    ['loopback, 10.0.0.0/8 fd00::/8', ['loopback', '10.0.0.0/8', 'fd00::/8']],
  ])('reads %s', (text, trusted) => {
    expect(readConfig({ ...enough, TRUST_PROXY: text }).trustProxy).toEqual(trusted);
  });

  it.each([
    'true',
    '*',
    'proxy.example',
    '10.0.0.0/33',
    '10.0.0.0/x',
    '10.0.0.0/8/8',
    '0.0.0.0/0',
    '::/0',
    ',',
    '-1',
    '100',
  ])('refuses %s', (text) => {
    expect(configFaultsOf({ ...enough, TRUST_PROXY: text })).toMatch(/TRUST_PROXY: takes false, the number of proxies/);
  });
});

describe('CORS_ORIGINS', () => {
  it.each([
    ['*', ['*']],
    ['https://shop.example', ['https://shop.example']],
    ['https://shop.example, http://localhost:5173', ['https://shop.example', 'http://localhost:5173']],
  ])('reads %s', (text, origins) => {
    expect(readConfig({ ...enough, CORS_ORIGINS: text }).cors.origins).toEqual(origins);
  });

  it.each([
    'https://shop.example/',
    'shop.example',
    'https://*.example',
    'null',
    'https://Shop.example',
    'https://shop.example:443',
  ])('refuses %s, which no browser sends', (text) => {
    expect(configFaultsOf({ ...enough, CORS_ORIGINS: text })).toMatch(/CORS_ORIGINS: takes origins/);
  });

  it.each(['*', 'https://shop.example,*'])('refuses %s with credentials, in development too', (text) => {
    const wrong = { ...enough, CORS_ORIGINS: text, CORS_CREDENTIALS: 'true' };
    expect(configFaultsOf(wrong)).toMatch(/CORS_ORIGINS: \* with CORS_CREDENTIALS=true/);
    expect(configFaultsOf({ ...wrong, ENV: 'development' })).toMatch(/CORS_ORIGINS: \* with/);
    expect(configFaultsOf({ ...wrong, CORS_CREDENTIALS: 'false' })).toBe('');
  });
});

describe('the admin', () => {
  const admin = { ...enough, ADMIN_USERNAME: 'olga', ADMIN_PASSWORD: 'a good one' };

  it('has a name and a password, or is nobody', () => {
    expect(readConfig(admin).admin).toEqual({ username: 'olga', password: 'a good one' });
    expect(configFaultsOf({ ...admin, ADMIN_PASSWORD: '' })).toMatch(/come together or not at all/);
    expect(configFaultsOf({ ...admin, ADMIN_PASSWORD: '7 chars' })).toMatch(/ADMIN_PASSWORD/);
    expect(configFaultsOf({ ...admin, ADMIN_USERNAME: 'ol:ga' })).toMatch(/ADMIN_USERNAME: takes no colon/);
  });

  it('does not have the password of the demo in production, said or not', () => {
    const sample = { ...admin, ADMIN_PASSWORD: 'twolane-demo' };
    expect(configFaultsOf(sample)).toMatch(/ADMIN_PASSWORD: is that of the demo/);
    expect(configFaultsOf({ ...sample, ENV: 'production' })).toMatch(/ADMIN_PASSWORD/);
    expect(configFaultsOf({ ...sample, ENV: 'development' })).toBe('');
  });
});

it.each([
  ['0', 0],
  ['250', 250],
  ['250ms', 250],
  ['15s', 15_000],
  ['15m', 900_000],
  ['2h', 7_200_000],
  ['30d', 2_592_000_000],
])('reads %s as %i ms', (text, ms) => {
  expect(durationMs.parse(text)).toBe(ms);
});

it.each(['', '-1', '1.5s', '1 s', 's', '5 minutes', '1w'])('refuses %j as a duration', (text) => {
  expect(durationMs.safeParse(text).success).toBe(false);
});
