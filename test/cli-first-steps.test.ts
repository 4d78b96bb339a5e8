import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RunOptions, runCaptured } from '../src/cli/captured-run.ts';
import type { Order } from '../src/domain/order.ts';
import { type Engine, startEngine } from './support/engine.ts';

/** What a person meets who types the README's commands for the first time. */
let engine: Engine;
let folder: string;
const password = 'correct horse battery';

beforeAll(async () => {
  engine = await startEngine('postgres', { roles: [] });
});
afterAll(() => engine.close());
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'twolane-first-'));
  return () => rm(folder, { recursive: true });
});

const run = (command: string, env: Record<string, string> = {}, options: Partial<RunOptions> = {}) =>
  runCaptured(command.split(' '), {
    projectFolder: folder,
    env: { TWOLANE_URL: engine.web.url, TWOLANE_CONFIG_DIR: folder, ...env },
    ...options,
  });

let people = 0;
async function signInAs(role: string): Promise<string> {
  people += 1;
  const email = `first-${people}@shop.example`;
  for (const command of [
    `users add ${email} --name Person --role ${role} --password-stdin`,
    `login ${email} --password-stdin`,
  ])
    expect(await run(command, {}, { input: password })).toMatchObject({ exitCode: 0 });
  return email;
}

const countOrders = async () => (await engine.database.query('SELECT number FROM orders')).length;
const ownerOf = async ({ number }: Order) => {
  const [owner] = await engine.database.query<{ email: string }>(
    'SELECT email FROM users JOIN orders ON orders.user_id = users.id WHERE orders.number = $1',
    [number],
  );
  return owner?.email;
};

describe('orders place --vip', () => {
  async function placeVip(more = ''): Promise<Order> {
    const { exitCode, stdout, stderr } = await run(`orders place --vip --item espresso --json${more}`);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    return (JSON.parse(stdout) as { order: Order }).order;
  }

  it.each(['VIP', 'MANAGER'])('is an order of the %s who is signed in', async (role) => {
    const email = await signInAs(role);
    const order = await placeVip();
    expect(order.lane).toBe('vip');
    expect(await ownerOf(order)).toBe(email);
  });

  it('is refused to anybody else who is signed in, and nothing is ordered', async () => {
    const before = await countOrders();
    for (const role of ['NORMAL', 'BOT']) {
      const email = await signInAs(role);
      const { exitCode, stdout, stderr } = await run('orders place --vip --item espresso');
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
      expect(stderr).toContain(`${email} is ${role}: the VIP lane is for a VIP or a manager`);
      await run('logout');
    }
    expect(await countOrders()).toBe(before);
  });

  it('is one of the sample VIP where nobody is signed in, and of whom --as names', async () => {
    expect(await ownerOf(await placeVip())).toBe('vip@twolane.test');
    const byManager = await placeVip(' --as manager@twolane.test');
    expect(byManager.lane).toBe('vip');
    expect(await ownerOf(byManager)).toBe('manager@twolane.test');
    expect(await run('orders place --vip --item espresso --as normal@twolane.test')).toMatchObject({ exitCode: 1 });
    expect(await run('orders place --vip --lane normal --item espresso')).toMatchObject({ exitCode: 2 });
  });
});

it('refuses a replay to who may not choose lanes before anything else', async () => {
  const day = path.join(import.meta.dirname, '../docs/examples/a-saturday.csv');
  const { exitCode, stdout, stderr } = await run(`replay ${day} --as normal@twolane.test`);
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  expect(stderr).toMatch(/normal@twolane\.test is NORMAL.*\n.*--as manager@twolane\.test/);
});

describe('hints and examples', () => {
  const byNpx = { npm_config_user_agent: 'npm/11 node/v24', npm_execpath: '/usr/lib/npm-cli.js' };

  it.each<[string, Record<string, string>, string]>([
    ['npx twolane, where npm has started it', byNpx, 'npx twolane'],
    ['twolane, where it was found without', {}, 'twolane'],
  ])('say %s', async (_name, env, name) => {
    const placed = await run('orders place --vip --item espresso', env);
    expect(placed.stdout).toMatch(new RegExp(`: ${name} orders show \\d+ --as vip@`));
    expect((await run('orders --help', env)).stdout).toContain(`  $ ${name} orders list`);
    expect((await run('bots list', env)).stdout).toContain(`\`${name} bots add\``);
    expect((await run('bots remove', env)).stderr).toContain(`\`${name} bots add\``);
  });
});

describe('a .env in the folder', () => {
  const admin = { ADMIN_USERNAME: 'olga', ADMIN_PASSWORD: 'a good one' };

  it('tells the admin’s password and the port of a server on this machine; the environment comes first', async () => {
    const own = await startEngine('postgres', { roles: [], env: admin });
    try {
      const { port } = new URL(own.web.url);
      const status = (env: Record<string, string>) =>
        runCaptured(['queues', 'status'], { projectFolder: folder, env: { TWOLANE_CONFIG_DIR: folder, ...env } });
      await writeFile(
        path.join(folder, '.env'),
        `PORT=${port}\nADMIN_USERNAME=olga\nADMIN_PASSWORD="a good one" # ours\n`,
      );
      expect(await status({})).toMatchObject({ exitCode: 0 });
      expect(await status({ ADMIN_PASSWORD: 'another one' })).toMatchObject({ exitCode: 1 });
      expect(await status({ PORT: '1' })).toMatchObject({ exitCode: 3 });
      await writeFile(path.join(folder, '.env'), `PORT=${port}\nADMIN_USERNAME=\nADMIN_PASSWORD=\n`);
      expect(await status({ ...admin })).toMatchObject({ exitCode: 0 });
      expect(await status({})).toMatchObject({ exitCode: 1 }); // the demo's, which are not those of this server
    } finally {
      await own.close();
    }
  });

  it('is not sent to another machine', async () => {
    await writeFile(path.join(folder, '.env'), 'ADMIN_USERNAME=olga\nADMIN_PASSWORD="a good one"\n');
    const refused = await run('queues status --url https://shop.invalid');
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('ADMIN_PASSWORD') });
  });
});

it('says that nothing was compared where nothing is paid online', async () => {
  const admin = { ADMIN_USERNAME: 'admin', ADMIN_PASSWORD: 'twolane-demo' };
  expect(await run('payments reconcile', admin)).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('nothing was compared: no payment provider is set up'),
  });
});
