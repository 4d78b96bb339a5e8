import { z } from 'zod';
import { type BackupConfig, backupFrom, backupVariables } from './config-backup.ts';
import { type MailConfig, mailFaults, mailFrom, mailVariables } from './config-mail.ts';
import { type PaymentConfig, paymentFaults, paymentsFrom, paymentVariables } from './config-payments.ts';
import { type StoresConfig, storeFaults, storesFrom, storeVariables } from './config-stores.ts';
import {
  atLeast,
  count,
  durationMs,
  durationWithin,
  flag,
  isOrigin,
  list,
  oneOf,
  port,
  secrets,
  trustProxy,
} from './config-values.ts';
import { StartUpError } from './domain/start-up-error.ts';
import { samplePassword } from './domain/user.ts';

const environment = z.object({
  ENV: oneOf('production', 'development', 'test').default('production'),
  HOST: z.string().default('127.0.0.1'),
  PORT: port.default(3000),
  LOG_LEVEL: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent').default('info'),

  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: 'takes an address such as postgres://user:password@host:5432/database' })
    .optional(),
  DB_HOST: z.string().optional(),
  DB_PORT: port.default(5432),
  DB_USER: z.string().default('postgres'),
  DB_PASSWORD: z.string().default(''),
  DB_NAME: z.string().default('twolane'),
  DB_SSL_MODE: oneOf('disable', 'require', 'verify-full').default('disable'),

  REDIS_URL: z.url({ protocol: /^rediss?$/, error: 'takes an address such as redis://host:6379/0' }).optional(),
  REDIS_HOST: z.string().optional(),
  REDIS_PORT: port.default(6379),
  REDIS_PASSWORD: z.string().default(''),
  REDIS_DB: count(0, 1_000).default(0),
  QUEUE_PREFIX: z
    .string()
    .regex(/^[a-z0-9{}_-]{1,40}$/i, 'takes up to 40 letters, digits and {}_-')
    .default('{twolane}'),

  ADMIN_USERNAME: z
    .string()
    .regex(/^[^:]+$/, 'takes no colon: Basic auth ends the name there')
    .optional(),
  ADMIN_PASSWORD: atLeast(8).optional(),
  JWT_SECRET: secrets.optional(),
  JWT_ISSUER: atLeast(1).default('twolane'),
  JWT_AUDIENCE: atLeast(1).default('twolane-api'),
  JWT_ACCESS_TOKEN_DURATION: durationWithin('1s', '24h').default(900_000),
  JWT_REFRESH_TOKEN_DURATION: durationWithin('1s', '365d').default(2_592_000_000),

  CORS_ORIGINS: list
    .refine((origins) => origins.every(isOrigin), 'takes origins such as https://shop.example, without a path, or *')
    .default([]),
  CORS_CREDENTIALS: flag.default(false),
  TRUST_PROXY: trustProxy.default(false),
  RATE_LIMIT_PER_MINUTE: count(0, 10_000_000).default(1_200),
  SIGN_IN_LIMIT_PER_MINUTE: count(0, 10_000_000).default(60),
  OVERLOAD_EVENT_LOOP_DELAY: durationMs.default(2_000),

  ...paymentVariables,
  ...mailVariables,
  ...storeVariables,
  ...backupVariables,

  TWOLANE_FAILPOINT: oneOf('after-commit').optional(),

  INTAKE_MAX_WAITING: count(1, 1_000_000).default(5_000),
  ORDER_MAX_ATTEMPTS: count(1, 1_000).default(5),
  BOT_CAPACITY: count(0, 10_000).default(25),
  BOT_PROCESSING_MS: count(0, 86_400_000).default(10_000),
  BOT_HANDLER: atLeast(1).default('timer'),
  BOT_HANDLER_SECRET: atLeast(16).optional(),
  BOT_HANDLER_TIMEOUT: durationMs.default(60_000),
});

export interface TokenSettings {
  /** The first signs; all are believed. */
  secrets: string[];
  issuer: string;
  audience: string;
  accessTokenMs: number;
  refreshTokenMs: number;
}

export interface Config {
  env: 'production' | 'development' | 'test';
  host: string;
  port: number;
  logLevel: string;
  databaseUrl: string;
  /** Null: BullMQ's Postgres backend carries the queues, in the same database. */
  redisUrl: string | null;
  queuePrefix: string;
  /** Null: nobody gets into the admin pages. */
  admin: { username: string; password: string } | null;
  /** Null: nobody can sign in, and the web process does not start. */
  tokens: TokenSettings | null;
  cors: {
    /** `*` alone means every origin. */
    origins: string[];
    credentials: boolean;
  };
  /** Whose `X-Forwarded-For` is believed: nobody's, that of so many proxies in front, or of these addresses and networks. */
  trustProxy: false | number | string[];
  limits: {
    /** Requests a minute of one account, or of one address where nobody is signed in; 0 is no limit. */
    requestsPerMinute: number;
    /** Requests a minute of one address to sign in, register and refresh; 0 is no limit. */
    signInsPerMinute: number;
    /** A web process whose event loop lags more than this refuses requests; 0 is never. */
    eventLoopDelayMs: number;
  };
  /** Where the process ends itself, so that a test can see what is lost; never in production. */
  failpoint: 'after-commit' | null;
  payments: PaymentConfig;
  mail: MailConfig;
  stores: StoresConfig;
  backup: BackupConfig;
  intakeMaxWaiting: number;
  orderMaxAttempts: number;
  bots: {
    capacity: number;
    processingMs: number;
    /** `timer`, `http://…`, or the path of a module. */
    handler: string;
    handlerSecret: string | null;
    handlerTimeoutMs: number;
  };
}

export class ConfigError extends StartUpError {
  constructor(faults: string[]) {
    super(`The environment has ${faults.length} fault${faults.length === 1 ? '' : 's'}:\n  ${faults.join('\n  ')}`);
    this.name = 'ConfigError';
  }
}

/** What only some processes need, and what for. */
const purposes = { JWT_SECRET: 'it signs access tokens, such as `openssl rand -hex 32` gives' };

/**
 * The environment as one checked, frozen object; an empty variable counts as absent. Throws one `ConfigError` that names every
 * fault, and what is missing of that which this process needs, never a value.
 */
export function readConfig(
  variables: Record<string, string | undefined>,
  needed: readonly (keyof typeof purposes)[] = [],
): Config {
  const present = Object.fromEntries(
    Object.entries(variables).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = environment.safeParse(present);
  const faults = parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  if (!present.DATABASE_URL && !present.DB_HOST)
    faults.push('DATABASE_URL (or DB_HOST and its companions): is missing');
  for (const name of needed) if (!present[name]) faults.push(`${name}: is missing; ${purposes[name]}`);
  const handlerIsHttp = /^https?:/.test(present.BOT_HANDLER ?? '');
  if (handlerIsHttp && !present.BOT_HANDLER_SECRET)
    faults.push('BOT_HANDLER_SECRET: is missing; an http handler needs it to sign what it sends');
  if (!!present.ADMIN_USERNAME !== !!present.ADMIN_PASSWORD)
    faults.push('ADMIN_USERNAME and ADMIN_PASSWORD: come together or not at all');
  const isProduction = (present.ENV ?? 'production') === 'production';
  if (isProduction && present.ADMIN_PASSWORD === samplePassword)
    faults.push('ADMIN_PASSWORD: is that of the demo, which everybody knows; choose another one for production');
  if (present.CORS_CREDENTIALS === 'true' && /(^|[\s,])\*([\s,]|$)/.test(present.CORS_ORIGINS ?? ''))
    faults.push(
      'CORS_ORIGINS: * with CORS_CREDENTIALS=true would let every page act for its visitors; name the origins',
    );
  faults.push(...paymentFaults(present, isProduction));
  faults.push(...mailFaults(present, isProduction));
  faults.push(...storeFaults(present, isProduction));
  if (present.TWOLANE_FAILPOINT && isProduction) faults.push('TWOLANE_FAILPOINT: is for tests, never for production');
  if (!parsed.success || faults.length > 0) throw new ConfigError(faults);

  const is = parsed.data;
  return Object.freeze({
    env: is.ENV,
    host: is.HOST,
    port: is.PORT,
    logLevel: is.LOG_LEVEL,
    databaseUrl: is.DATABASE_URL ?? databaseUrlFrom(is),
    redisUrl: is.REDIS_URL ?? (is.REDIS_HOST ? redisUrlFrom(is, is.REDIS_HOST) : null),
    queuePrefix: is.QUEUE_PREFIX,
    admin: is.ADMIN_USERNAME && is.ADMIN_PASSWORD ? { username: is.ADMIN_USERNAME, password: is.ADMIN_PASSWORD } : null,
    tokens: is.JWT_SECRET
      ? Object.freeze({
          secrets: is.JWT_SECRET,
          issuer: is.JWT_ISSUER,
          audience: is.JWT_AUDIENCE,
          accessTokenMs: is.JWT_ACCESS_TOKEN_DURATION,
          refreshTokenMs: is.JWT_REFRESH_TOKEN_DURATION,
        })
      : null,
    cors: Object.freeze({ origins: is.CORS_ORIGINS, credentials: is.CORS_CREDENTIALS }),
    trustProxy: is.TRUST_PROXY,
    limits: Object.freeze({
      requestsPerMinute: is.RATE_LIMIT_PER_MINUTE,
      signInsPerMinute: is.SIGN_IN_LIMIT_PER_MINUTE,
      eventLoopDelayMs: is.OVERLOAD_EVENT_LOOP_DELAY,
    }),
    failpoint: is.TWOLANE_FAILPOINT ?? null,
    payments: paymentsFrom(is),
    mail: mailFrom(is),
    stores: storesFrom(is, isProduction),
    backup: backupFrom(is),
    intakeMaxWaiting: is.INTAKE_MAX_WAITING,
    orderMaxAttempts: is.ORDER_MAX_ATTEMPTS,
    bots: Object.freeze({
      capacity: is.BOT_CAPACITY,
      processingMs: is.BOT_PROCESSING_MS,
      handler: is.BOT_HANDLER,
      handlerSecret: is.BOT_HANDLER_SECRET ?? null,
      handlerTimeoutMs: is.BOT_HANDLER_TIMEOUT,
    }),
  });
}

function databaseUrlFrom(is: z.infer<typeof environment>): string {
  const url = new URL(`postgres://${is.DB_HOST}:${is.DB_PORT}/${encodeURIComponent(is.DB_NAME)}`);
  url.username = is.DB_USER;
  url.password = is.DB_PASSWORD;
  if (is.DB_SSL_MODE !== 'disable') url.searchParams.set('sslmode', is.DB_SSL_MODE);
  return url.href;
}

function redisUrlFrom(is: z.infer<typeof environment>, host: string): string {
  const url = new URL(`redis://${host}:${is.REDIS_PORT}/${is.REDIS_DB}`);
  url.password = is.REDIS_PASSWORD;
  return url.href;
}
