import { describe, expect, it } from 'vitest';
import { ConfigError, durationMs, readConfig } from './config.ts';

const enough = { DATABASE_URL: 'postgres://shop:hunter2@db/twolane' };

function faultsOf(variables: Record<string, string>): string {
  try {
    readConfig(variables);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
}

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
    expect(faultsOf({ DATABASE_URL: '' })).toMatch(/DATABASE_URL.*is missing/);
  });

  it('names every fault in one message, and no value', () => {
    const secret = 'hunter2-very-secret';
    const message = faultsOf({
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
    });
    expect(message).toMatch(/^The environment has \d+ faults:/);
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
    ])
      expect(message).toContain(name);
    expect(message).not.toContain('hunter2');
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
    expect(faultsOf({ ...enough, TWOLANE_FAILPOINT: 'after-commit' })).toMatch(
      /TWOLANE_FAILPOINT: .*never for production/,
    );
    expect(faultsOf({ ...enough, ENV: 'production', TWOLANE_FAILPOINT: 'after-commit' })).toMatch(/TWOLANE_FAILPOINT/);
    expect(faultsOf({ ...enough, ENV: 'development', TWOLANE_FAILPOINT: 'somewhere' })).toMatch(/TWOLANE_FAILPOINT/);
    expect(readConfig({ ...enough, ENV: 'development', TWOLANE_FAILPOINT: 'after-commit' }).failpoint).toBe(
      'after-commit',
    );
  });

  it('cannot be changed', () => {
    const config = readConfig(enough);
    expect(() => Object.assign(config, { env: 'development' })).toThrow(TypeError);
    expect(() => Object.assign(config.bots, { capacity: 1 })).toThrow(TypeError);
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
