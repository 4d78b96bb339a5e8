import { z } from 'zod';

const port = z.coerce.number().int().min(0).max(65_535);
const count = (from: number, to: number) => z.coerce.number().int().min(from).max(to);

/** `250`, `250ms`, `15s`, `3m`, `15m`, `30d` → milliseconds. */
export const durationMs = z
  .string()
  .regex(/^\d+(ms|s|m|h|d)?$/, 'takes a duration such as 10s, 15m or 30d')
  .transform((text) => {
    const unit = /[a-z]+$/.exec(text)?.[0] ?? 'ms';
    const factor = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit] ?? 1;
    return Number.parseInt(text, 10) * factor;
  });

const environment = z.object({
  ENV: z.enum(['production', 'development', 'test']).default('production'),
  HOST: z.string().default('127.0.0.1'),
  PORT: port.default(3000),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),

  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  DB_HOST: z.string().optional(),
  DB_PORT: port.default(5432),
  DB_USER: z.string().default('postgres'),
  DB_PASSWORD: z.string().default(''),
  DB_NAME: z.string().default('twolane'),
  DB_SSL_MODE: z.enum(['disable', 'require', 'verify-full']).default('disable'),

  REDIS_URL: z.url({ protocol: /^rediss?$/ }).optional(),
  REDIS_HOST: z.string().optional(),
  REDIS_PORT: port.default(6379),
  REDIS_PASSWORD: z.string().default(''),
  REDIS_DB: count(0, 1_000).default(0),
  QUEUE_PREFIX: z
    .string()
    .regex(/^[a-z0-9{}_-]{1,40}$/i)
    .default('{twolane}'),

  ADMIN_USERNAME: z.string().min(1).optional(),
  ADMIN_PASSWORD: z.string().min(8).optional(),
  JWT_SECRET: z.string().min(32).optional(),

  TWOLANE_FAILPOINT: z.enum(['after-commit']).optional(),

  INTAKE_MAX_WAITING: count(1, 1_000_000).default(5_000),
  ORDER_MAX_ATTEMPTS: count(1, 1_000).default(5),
  BOT_CAPACITY: count(0, 10_000).default(25),
  BOT_PROCESSING_MS: count(0, 86_400_000).default(10_000),
  BOT_HANDLER: z.string().min(1).default('timer'),
  BOT_HANDLER_SECRET: z.string().min(16).optional(),
  BOT_HANDLER_TIMEOUT: durationMs.default(60_000),
});

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
  jwtSecret: string | null;
  /** Where the process ends itself, so that a test can see what is lost; never in production. */
  failpoint: 'after-commit' | null;
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

export class ConfigError extends Error {
  constructor(faults: string[]) {
    super(`The environment has ${faults.length} fault${faults.length === 1 ? '' : 's'}:\n  ${faults.join('\n  ')}`);
    this.name = 'ConfigError';
  }
}

/** The environment as one checked, frozen object; an empty variable counts as absent. Throws one `ConfigError` that names every fault, never a value. */
export function readConfig(variables: Record<string, string | undefined>): Config {
  const present = Object.fromEntries(
    Object.entries(variables).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = environment.safeParse(present);
  const faults = parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  if (!present.DATABASE_URL && !present.DB_HOST)
    faults.push('DATABASE_URL (or DB_HOST and its companions): is missing');
  const handlerIsHttp = /^https?:/.test(present.BOT_HANDLER ?? '');
  if (handlerIsHttp && !present.BOT_HANDLER_SECRET)
    faults.push('BOT_HANDLER_SECRET: is missing; an http handler needs it to sign what it sends');
  if (!!present.ADMIN_USERNAME !== !!present.ADMIN_PASSWORD)
    faults.push('ADMIN_USERNAME and ADMIN_PASSWORD: come together or not at all');
  if (present.TWOLANE_FAILPOINT && (present.ENV ?? 'production') === 'production')
    faults.push('TWOLANE_FAILPOINT: is for tests, never for production');
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
    jwtSecret: is.JWT_SECRET ?? null,
    failpoint: is.TWOLANE_FAILPOINT ?? null,
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
