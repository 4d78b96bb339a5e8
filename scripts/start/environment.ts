import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Config, ConfigError, readConfig } from '../../src/config.ts';
import { type PaymentProvider, paymentProviders } from '../../src/domain/payment.ts';
import { findHandlerModule, HandlerSettingError } from '../../workers/bots/handlers/handler-module.ts';

/** What the demo sets for its processes where the environment and a `.env` file say nothing. */
export type DemoEnvironment = {
  host: string;
  port: number;
  /** Where people and the CLI reach it. */
  url: string;
  /** The operator brought a database of their own: it is neither started nor filled by us. */
  hasOwnDatabase: boolean;
  /** The providers that the operator brought keys of: where there is one, nothing stands in for either. */
  paymentKeysOf: PaymentProvider[];
  variables: NodeJS.ProcessEnv;
};

export const demoAdmin = { username: 'admin', password: 'twolane-demo' };

export function readDemoEnvironment(root: string, dataFolder: string): DemoEnvironment {
  const file = path.join(root, '.env');
  if (existsSync(file)) process.loadEnvFile(file); // what is set already wins
  const { env } = process;
  if (env.ENV === 'production') {
    throw new Error(
      'ENV is production: `npm start` is the demo, with a database and accounts of its own. Run the lines of the Procfile ' +
        'instead, or start the demo with ENV=development npm start.',
    );
  }
  const variables = {
    ...env,
    ENV: env.ENV || 'development',
    HOST: env.HOST || '127.0.0.1',
    PORT: env.PORT || '3000',
    ADMIN_USERNAME: env.ADMIN_USERNAME || demoAdmin.username,
    ADMIN_PASSWORD: env.ADMIN_PASSWORD || demoAdmin.password,
    JWT_SECRET: env.JWT_SECRET || keepSecret(path.join(dataFolder, 'jwt-secret')),
  };
  const hasOwnDatabase = Boolean(env.DATABASE_URL || env.DB_HOST);
  const { host, port, payments } = checkEverything(
    root,
    hasOwnDatabase ? variables : { ...variables, ...demoDatabase },
  );
  const reachable = ['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host;
  const url = `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
  return {
    host,
    port,
    url,
    hasOwnDatabase,
    paymentKeysOf: paymentProviders.filter((provider) => payments[provider] !== null),
    variables: { ...variables, PUBLIC_URL: env.PUBLIC_URL || url },
  };
}

/** Whatever a process would find wrong with it, said in one message before anything is started. */
function checkEverything(root: string, variables: NodeJS.ProcessEnv): Config {
  const faults: string[] = [];
  const check = <Checked>(run: () => Checked): Checked | undefined => {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof ConfigError) && !(error instanceof HandlerSettingError)) throw error;
      faults.push(error.message);
      return undefined;
    }
  };
  const config = check(() => readConfig(variables));
  check(() => findHandlerModule(variables.BOT_HANDLER || 'timer', root));
  if (config?.port === 0) faults.push('PORT: the demo needs one that is known beforehand, from 1');
  if (config === undefined || faults.length > 0) throw new Error(faults.join('\n'));
  return config;
}

/** Stands in for the URL of a private Postgres that does not run yet. */
const demoDatabase = { DATABASE_URL: 'postgres://127.0.0.1/twolane' };

/** The same secret at every start, so that a restart signs nobody out. */
function keepSecret(file: string): string {
  if (!existsSync(file)) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  }
  return readFileSync(file, 'utf8').trim();
}
