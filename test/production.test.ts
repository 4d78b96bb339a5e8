import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { cloneDatabase, type TestDatabase } from './support/database.ts';
import { type EngineProcess, killAll, startProcess } from './support/engine-process.ts';

const signingSecret = randomBytes(32).toString('hex');
const adminPassword = randomBytes(9).toString('hex');

let clean: TestDatabase;
let withSamples: TestDatabase;
const processes: EngineProcess[] = [];

beforeAll(async () => {
  [clean, withSamples] = await Promise.all([cloneDatabase(), cloneDatabase()]);
  await clean.query("DELETE FROM users WHERE email LIKE '%@twolane.test'");
});
afterEach(() => killAll(processes.splice(0)));
afterAll(() => Promise.all([clean.drop(), withSamples.drop()]));

/** What a shop would set; without ENV, because production is what one gets without saying so. */
const settings = (database: TestDatabase): Record<string, string> => ({
  PORT: '0',
  DATABASE_URL: database.url,
  ADMIN_USERNAME: 'olga',
  ADMIN_PASSWORD: adminPassword,
  JWT_SECRET: signingSecret,
});

function run(program: string[], environment: Record<string, string>): EngineProcess {
  const started = startProcess(program, environment);
  processes.push(started);
  return started;
}

async function untilRefused(environment: Record<string, string>, program = ['src/server.ts']): Promise<string> {
  const started = run(program, environment);
  expect(await started.ended).toEqual({ code: 1, signal: null });
  const said = started.lines.join('\n');
  expect(said, 'a message, no stack').not.toMatch(/^\s+at |node:internal|\.ts:\d/m);
  for (const secret of [signingSecret, adminPassword, 'twolane-demo', 'short-secret'])
    expect(said).not.toContain(secret);
  return said;
}

describe('production', () => {
  it('starts with secrets of its own, on a database without sample accounts', async () => {
    const web = run(['src/server.ts'], settings(clean));
    const { env, url } = JSON.parse(await web.untilLine(/"web listening"/)) as { env: string; url: string };
    expect(env).toBe('production');
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${url}/assets/demo-accounts.json`)).json()).toEqual({ accounts: [] });
    web.signal('SIGTERM');
    expect(await web.ended).toEqual({ code: 0, signal: null });
  });

  it.each<[string, Record<string, string>, RegExp]>([
    [
      'the admin password of the demo',
      { ADMIN_PASSWORD: 'twolane-demo' },
      /ADMIN_PASSWORD: is that of the demo.*choose another/,
    ],
    ['a short secret', { JWT_SECRET: 'short-secret' }, /JWT_SECRET: .*at least 32 characters/],
    ['a short secret beside a long one', { JWT_SECRET: `${signingSecret},short-secret` }, /JWT_SECRET: .*at least 32/],
    ['no secret', { JWT_SECRET: '' }, /JWT_SECRET: is missing.*openssl rand -hex 32/],
    [
      'every origin with credentials',
      { CORS_ORIGINS: '*', CORS_CREDENTIALS: 'true' },
      /CORS_ORIGINS: .*name the origins/,
    ],
    ['a failpoint', { TWOLANE_FAILPOINT: 'after-commit' }, /TWOLANE_FAILPOINT: .*never for production/],
  ])('refuses %s, and says what to do', async (_name, wrong, message) => {
    expect(await untilRefused({ ...settings(clean), ...wrong })).toMatch(message);
  });

  it('names all that is wrong at once', async () => {
    const message = await untilRefused({
      ENV: 'production',
      PORT: '0',
      ADMIN_USERNAME: 'a:b',
      ADMIN_PASSWORD: 'twolane-demo',
      JWT_SECRET: 'short-secret',
      CORS_ORIGINS: 'https://shop.example, *',
      CORS_CREDENTIALS: 'true',
      TRUST_PROXY: 'everybody',
      RATE_LIMIT_PER_MINUTE: '-1',
    });
    expect(message).toMatch(/^The environment has 7 faults:/);
    for (const name of [
      'DATABASE_URL',
      'ADMIN_USERNAME',
      'ADMIN_PASSWORD',
      'JWT_SECRET',
      'CORS_ORIGINS',
      'TRUST_PROXY',
      'RATE_LIMIT_PER_MINUTE',
    ])
      expect(message.match(new RegExp(`^  ${name}\\b.*: `, 'gm')), message).toHaveLength(1);
  });

  it('refuses a database in which somebody could sign in with the password of the demo', async () => {
    const message = await untilRefused(settings(withSamples));
    expect(message).toMatch(/sample accounts/);
    expect(message).toMatch(/ENV=development.*\n.*users add.*users remove E-MAIL/);
  });

  it('refuses the same in a worker process', async () => {
    const message = await untilRefused({ ...settings(clean), ADMIN_PASSWORD: 'twolane-demo' }, [
      'workers/main.ts',
      'bots',
    ]);
    expect(message).toMatch(/ADMIN_PASSWORD: is that of the demo/);
  });

  it.each(['development', 'test'])('is what refuses, not %s', async (env) => {
    const web = run(['src/server.ts'], { ...settings(withSamples), ENV: env, ADMIN_PASSWORD: 'twolane-demo' });
    await web.untilLine(/"web listening"/);
  });
});
