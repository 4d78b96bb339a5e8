import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** What the demo sets for its processes where the environment and a `.env` file say nothing. */
export type DemoEnvironment = {
  host: string;
  port: number;
  /** Where people and the CLI reach it. */
  url: string;
  /** The operator brought a database of their own: it is neither started nor filled by us. */
  hasOwnDatabase: boolean;
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
  const host = env.HOST || '127.0.0.1';
  const port = Number(env.PORT || 3000);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Error(`PORT is \`${env.PORT}\`, not a port (1–65535)`);
  const reachable = ['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host;
  return {
    host,
    port,
    url: `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`,
    hasOwnDatabase: Boolean(env.DATABASE_URL || env.DB_HOST),
    variables: {
      ...env,
      ENV: env.ENV || 'development',
      HOST: host,
      PORT: String(port),
      ADMIN_USERNAME: env.ADMIN_USERNAME || demoAdmin.username,
      ADMIN_PASSWORD: env.ADMIN_PASSWORD || demoAdmin.password,
      JWT_SECRET: env.JWT_SECRET || keepSecret(path.join(dataFolder, 'jwt-secret')),
    },
  };
}

/** The same secret at every start, so that a restart signs nobody out. */
function keepSecret(file: string): string {
  if (!existsSync(file)) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  }
  return readFileSync(file, 'utf8').trim();
}
